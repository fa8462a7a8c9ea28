--
-- PostgreSQL database dump
--

\restrict 9z04qrhVbdBlNejIxoDusGhsmBBO6bIB82bLrpD1uk3cxVT10EGyTgbNr6c8B7B

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: api_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_keys (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    name character varying(255) NOT NULL,
    prefix character varying(16) NOT NULL,
    secret_sha256 character varying(64) NOT NULL,
    scopes json NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone
);


--
-- Name: artifacts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.artifacts (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    sha256 character varying(64) NOT NULL,
    size_bytes bigint NOT NULL,
    filename character varying(255) NOT NULL,
    media_type character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: audit; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    key_id character varying(40),
    action character varying(64) NOT NULL,
    subject character varying(128) NOT NULL,
    address character varying(64),
    request_id character varying(64),
    created_at timestamp with time zone NOT NULL
);


--
-- Name: candidates; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.candidates (
    job_id character varying(40) NOT NULL,
    n integer NOT NULL,
    search_id character varying(40),
    index integer NOT NULL,
    policy json NOT NULL,
    measurement json,
    failure text,
    feasible boolean NOT NULL,
    on_front boolean NOT NULL,
    accuracy double precision,
    latency_ms double precision,
    size_bytes double precision,
    macs double precision,
    bops double precision,
    peak_memory_bytes double precision,
    energy_mj double precision,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_candidates_outcome CHECK (((measurement IS NULL) <> (failure IS NULL)))
);


--
-- Name: checkpoints; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.checkpoints (
    search_id character varying(40) NOT NULL,
    told integer NOT NULL,
    state json NOT NULL,
    arrays bytea NOT NULL
);


--
-- Name: curve; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.curve (
    search_id character varying(40) NOT NULL,
    index integer NOT NULL,
    best double precision,
    hypervolume double precision NOT NULL,
    seconds double precision NOT NULL
);


--
-- Name: datasets; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.datasets (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    artifact_id character varying(40),
    name character varying(255) NOT NULL,
    state character varying(16) NOT NULL,
    sha256 character varying(64) NOT NULL,
    size_bytes bigint NOT NULL,
    reason text,
    inspection json,
    owner character varying(64),
    lease_expires_at double precision,
    attempts integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_datasets_state CHECK (((state)::text = ANY ((ARRAY['inspecting'::character varying, 'ready'::character varying, 'rejected'::character varying])::text[])))
);


--
-- Name: deliveries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.deliveries (
    job_id character varying(40) NOT NULL,
    n integer NOT NULL,
    measurement json NOT NULL,
    original json NOT NULL,
    artifact_id character varying(40) NOT NULL,
    files json NOT NULL,
    "precision" character varying(16) NOT NULL,
    report json NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: devices; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.devices (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    name character varying(64) NOT NULL,
    kind character varying(16) NOT NULL,
    summary text NOT NULL,
    weight_bits json NOT NULL,
    activation_bits json NOT NULL,
    provenance json NOT NULL,
    rows integer NOT NULL,
    artifact_id character varying(40) NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    job_id character varying(40) NOT NULL,
    seq integer NOT NULL,
    type character varying(16) NOT NULL,
    data json NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: exports; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.exports (
    job_id character varying(40) NOT NULL,
    n integer NOT NULL,
    state character varying(16) NOT NULL,
    message text,
    attempt integer NOT NULL,
    owner character varying(64),
    lease_expires_at double precision,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_exports_state CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'running'::character varying, 'done'::character varying, 'failed'::character varying])::text[])))
);


--
-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency_keys (
    workspace_id character varying(40) NOT NULL,
    key character varying(255) NOT NULL,
    request_sha256 character varying(64) NOT NULL,
    resource_id character varying(40) NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: jobs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.jobs (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    key_id character varying(40),
    name character varying(255),
    state character varying(16) NOT NULL,
    request json NOT NULL,
    tags json NOT NULL,
    priority integer NOT NULL,
    model_id character varying(40) NOT NULL,
    dataset_id character varying(40) NOT NULL,
    device_name character varying(64) NOT NULL,
    device_artifact_id character varying(40) NOT NULL,
    cloned_from character varying(40),
    phase character varying(16) NOT NULL,
    completed integer NOT NULL,
    total integer NOT NULL,
    best json NOT NULL,
    front_size integer NOT NULL,
    hypervolume double precision,
    original json,
    preparation json,
    warnings json NOT NULL,
    error_code character varying(64),
    error_message text,
    error_retryable boolean NOT NULL,
    attempt integer NOT NULL,
    losses integer NOT NULL,
    owner character varying(64),
    lease_expires_at double precision,
    claimed_at double precision,
    last_seq integer NOT NULL,
    cpu_seconds double precision NOT NULL,
    wall_seconds double precision NOT NULL,
    evaluations integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    detail text DEFAULT ''::text NOT NULL,
    eta_seconds double precision,
    CONSTRAINT ck_jobs_state CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'running'::character varying, 'pausing'::character varying, 'paused'::character varying, 'cancelling'::character varying, 'succeeded'::character varying, 'failed'::character varying, 'cancelled'::character varying])::text[]))),
    CONSTRAINT ck_jobs_worker CHECK ((((state)::text = ANY ((ARRAY['running'::character varying, 'pausing'::character varying, 'cancelling'::character varying])::text[])) = ((owner IS NOT NULL) AND (lease_expires_at IS NOT NULL))))
);


--
-- Name: messages; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.messages (
    id character varying(40) NOT NULL,
    webhook_id character varying(40) NOT NULL,
    type character varying(32) NOT NULL,
    payload json NOT NULL,
    state character varying(16) NOT NULL,
    attempts integer NOT NULL,
    due_at double precision NOT NULL,
    last_status integer,
    last_error text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_messages_state CHECK (((state)::text = ANY ((ARRAY['pending'::character varying, 'delivered'::character varying, 'failed'::character varying])::text[])))
);


--
-- Name: models; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.models (
    architecture character varying(64),
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    artifact_id character varying(40),
    name character varying(255) NOT NULL,
    state character varying(16) NOT NULL,
    sha256 character varying(64) NOT NULL,
    size_bytes bigint NOT NULL,
    reason text,
    inspection json,
    owner character varying(64),
    lease_expires_at double precision,
    attempts integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_models_state CHECK (((state)::text = ANY ((ARRAY['inspecting'::character varying, 'ready'::character varying, 'rejected'::character varying])::text[])))
);


--
-- Name: searches; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.searches (
    id character varying(40) NOT NULL,
    job_id character varying(40) NOT NULL,
    "position" integer NOT NULL,
    algorithm character varying(64) NOT NULL,
    options json NOT NULL,
    seed bigint NOT NULL,
    baseline boolean NOT NULL,
    state character varying(16) NOT NULL,
    evaluated integer NOT NULL,
    failed integer NOT NULL,
    total integer NOT NULL,
    hypervolume double precision,
    best double precision,
    seconds double precision NOT NULL,
    message text,
    CONSTRAINT ck_searches_state CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'running'::character varying, 'pausing'::character varying, 'paused'::character varying, 'cancelling'::character varying, 'succeeded'::character varying, 'failed'::character varying, 'cancelled'::character varying])::text[])))
);


--
-- Name: trainings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.trainings (
    job_id character varying(40) NOT NULL,
    n integer NOT NULL,
    part character varying(32) NOT NULL,
    artifact_id character varying(40) NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


--
-- Name: upload_parts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.upload_parts (
    upload_id character varying(40) NOT NULL,
    n integer NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 character varying(64) NOT NULL
);


--
-- Name: uploads; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.uploads (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    kind character varying(16) NOT NULL,
    filename character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    architecture character varying(64),
    size_bytes bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    part_size_bytes integer NOT NULL,
    state character varying(16) NOT NULL,
    resource_id character varying(40),
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


--
-- Name: webhooks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhooks (
    id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    url text NOT NULL,
    types json NOT NULL,
    secret text NOT NULL,
    old_secret text,
    disabled_reason text,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: workspaces; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.workspaces (
    id character varying(40) NOT NULL,
    name character varying(255) NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES ('0003');


--
-- Data for Name: api_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.api_keys VALUES ('key_01a216c3053b7c5796771e0192a49027', 'ws_01a216c305397ae39f783761fd6fe971', 'test', '8zm0rghq9gu7', '11614d8164c0d8aa8887d3f817c5154551d301cbebf650e496acc45a4835c2ec', '["read", "write", "admin"]', '2026-11-26 07:30:09.339855+00', NULL, NULL, '2026-11-26 07:30:09.43229+00');
INSERT INTO public.api_keys VALUES ('key_01a216c30796791cb3b36039f97086fd', 'ws_01a216c305397ae39f783761fd6fe971', 'old', '8azyrb5h0g5d', '2faae21291ab2588bc18e0190c9b2a3583cf5faf0f618672266d843e70f816df', '["read", "write"]', '2026-11-26 07:30:09.942404+00', NULL, '2026-11-26 07:30:09.952169+00', NULL);


--
-- Data for Name: artifacts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.artifacts VALUES ('art_01a216c30546769bab45dd01d5f2eedd', 'ws_01a216c305397ae39f783761fd6fe971', '49957cc72dbcc7be9cbe8a4783209f852ad68f8c7b8f5bacf21cd4ba30aeed36', 36, 'model', 'application/octet-stream', '2026-11-26 07:30:09.356981+00');
INSERT INTO public.artifacts VALUES ('art_01a216c305587be6b19e69e23001c736', 'ws_01a216c305397ae39f783761fd6fe971', 'ff4189083bbdf5a38a219470ee5e688332fe87b2944f6ada617eaca183f70b00', 36, 'dataset', 'application/octet-stream', '2026-11-26 07:30:09.370981+00');
INSERT INTO public.artifacts VALUES ('art_01a216c305d17e58a895ba3be8e3cd5d', 'ws_01a216c305397ae39f783761fd6fe971', 'eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9', 900, 'bit-serial.json', 'application/json', '2026-11-26 07:30:09.490717+00');
INSERT INTO public.artifacts VALUES ('art_01a216c3063973d5b3ea34e5ab414d2a', 'ws_01a216c305397ae39f783761fd6fe971', '2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e', 9, 'candidate-1.onnx', 'application/octet-stream', '2026-11-26 07:30:09.594573+00');
INSERT INTO public.artifacts VALUES ('art_01a216c3067f7fe09b3caad8f22d7077', 'ws_01a216c305397ae39f783761fd6fe971', 'eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9', 900, 'bit-serial.json', 'application/json', '2026-11-26 07:30:09.664379+00');
INSERT INTO public.artifacts VALUES ('art_01a216c306ad7eba9d60b5678f5df7e8', 'ws_01a216c305397ae39f783761fd6fe971', '2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e', 9, 'candidate-1.onnx', 'application/octet-stream', '2026-11-26 07:30:09.709401+00');
INSERT INTO public.artifacts VALUES ('art_01a216c306f67930b10a8866828315f5', 'ws_01a216c305397ae39f783761fd6fe971', 'eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9', 900, 'bit-serial.json', 'application/json', '2026-11-26 07:30:09.783677+00');


--
-- Data for Name: audit; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit VALUES ('aud_01a216c307897ccd9943119856f5771d', 'ws_01a216c305397ae39f783761fd6fe971', 'key_01a216c3053b7c5796771e0192a49027', 'webhook.create', 'whk_01a216c307897c80bab5cd1e6d0cc8f4', 'testclient', 'req_01a216c3071e753a991d8e2f0fd0cf05', '2026-11-26 07:30:09.931389+00');
INSERT INTO public.audit VALUES ('aud_01a216c3079772688ef95167b97f3ebb', 'ws_01a216c305397ae39f783761fd6fe971', 'key_01a216c3053b7c5796771e0192a49027', 'key.create', 'key_01a216c30796791cb3b36039f97086fd', 'testclient', 'req_01a216c30791734fb567e0f3ea37ce38', '2026-11-26 07:30:09.944349+00');
INSERT INTO public.audit VALUES ('aud_01a216c307a27117b7924ad7e3675452', 'ws_01a216c305397ae39f783761fd6fe971', 'key_01a216c3053b7c5796771e0192a49027', 'key.revoke', 'key_01a216c30796791cb3b36039f97086fd', 'testclient', 'req_01a216c3079c7e4c9b340e4de8ff65a4', '2026-11-26 07:30:09.95527+00');


--
-- Data for Name: candidates; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.candidates VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 0, NULL, 0, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', NULL, false, false, 0.9, 0.3333333333333333, 4000, 1.000000000000001e+15, NULL, NULL, NULL, '2026-11-26 07:30:09.545592+00');
INSERT INTO public.candidates VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 4, 'srch_01a216c305d37538ab9627e2594a7a6e', 1, '{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, false, 0.8, 2e-17, 1000, 3, NULL, NULL, NULL, '2026-11-26 07:30:09.554386+00');
INSERT INTO public.candidates VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 7, 'srch_01a216c305d37538ab9627e2594a7a6e', 2, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', NULL, 'it diverged
at once', false, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-26 07:30:09.554392+00');
INSERT INTO public.candidates VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 1, 'srch_01a216c305d37538ab9627e2594a7a6e', 0, '{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}', '{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, true, 0.7, 0.1, 2000, 7, NULL, NULL, NULL, '2026-11-26 07:30:09.554366+00');
INSERT INTO public.candidates VALUES ('job_01a216c306507d8dacaebc2735a5018c', 0, NULL, 0, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', NULL, false, false, 0.9, 0.3333333333333333, 4000, 1.000000000000001e+15, NULL, NULL, NULL, '2026-11-26 07:30:09.686211+00');
INSERT INTO public.candidates VALUES ('job_01a216c306507d8dacaebc2735a5018c', 4, 'srch_01a216c306817621a90ef4608492ca83', 1, '{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, false, 0.8, 2e-17, 1000, 3, NULL, NULL, NULL, '2026-11-26 07:30:09.690667+00');
INSERT INTO public.candidates VALUES ('job_01a216c306507d8dacaebc2735a5018c', 7, 'srch_01a216c306817621a90ef4608492ca83', 2, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', NULL, 'it diverged
at once', false, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-26 07:30:09.690677+00');
INSERT INTO public.candidates VALUES ('job_01a216c306507d8dacaebc2735a5018c', 1, 'srch_01a216c306817621a90ef4608492ca83', 0, '{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}', '{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, true, 0.7, 0.1, 2000, 7, NULL, NULL, NULL, '2026-11-26 07:30:09.690645+00');


--
-- Data for Name: checkpoints; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.checkpoints VALUES ('srch_01a216c305d37538ab9627e2594a7a6e', 3, '{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
INSERT INTO public.checkpoints VALUES ('srch_01a216c306817621a90ef4608492ca83', 3, '{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');


--
-- Data for Name: curve; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.curve VALUES ('srch_01a216c305d37538ab9627e2594a7a6e', 0, 0.7, 0, 0);
INSERT INTO public.curve VALUES ('srch_01a216c305d37538ab9627e2594a7a6e', 1, 0.7333333333333333, 0.1, 1.5);
INSERT INTO public.curve VALUES ('srch_01a216c305d37538ab9627e2594a7a6e', 2, 0.7666666666666666, 0.2, 3);
INSERT INTO public.curve VALUES ('srch_01a216c306817621a90ef4608492ca83', 0, 0.7, 0, 0);
INSERT INTO public.curve VALUES ('srch_01a216c306817621a90ef4608492ca83', 1, 0.7333333333333333, 0.1, 1.5);
INSERT INTO public.curve VALUES ('srch_01a216c306817621a90ef4608492ca83', 2, 0.7666666666666666, 0.2, 3);


--
-- Data for Name: datasets; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.datasets VALUES ('dst_01a216c3055b7a4da91ce881c500b6bd', 'ws_01a216c305397ae39f783761fd6fe971', 'art_01a216c305587be6b19e69e23001c736', 'dataset', 'ready', 'ff4189083bbdf5a38a219470ee5e688332fe87b2944f6ada617eaca183f70b00', 36, NULL, '{"splits": {"train": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "validation": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "test": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}}, "classes": 10, "label_min": 0, "label_max": 9, "mean": null, "std": null, "carved": [], "warnings": []}', NULL, NULL, 0, '2026-11-26 07:30:09.371994+00');


--
-- Data for Name: deliveries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.deliveries VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 1, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', 'art_01a216c3063973d5b3ea34e5ab414d2a', '{"model.onnx": "art_01a216c3063973d5b3ea34e5ab414d2a"}', 'fp32', '{}', '2026-11-26 07:30:09.596426+00');
INSERT INTO public.deliveries VALUES ('job_01a216c306507d8dacaebc2735a5018c', 1, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', 'art_01a216c306ad7eba9d60b5678f5df7e8', '{"model.onnx": "art_01a216c306ad7eba9d60b5678f5df7e8"}', 'fp32', '{}', '2026-11-26 07:30:09.710192+00');


--
-- Data for Name: devices; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 1, 'state', '{"state": "queued", "attempt": 0}', '2026-11-26 07:30:09.49828+00');
INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 2, 'state', '{"state": "running", "attempt": 1}', '2026-11-26 07:30:09.528285+00');
INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 3, 'log', '{"level": "warning", "message": "mind the gap"}', '2026-11-26 07:30:09.549794+00');
INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 4, 'candidates', '{"search": "srch_01a216c305d37538ab9627e2594a7a6e", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}', '2026-11-26 07:30:09.560492+00');
INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 5, 'front', '{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}', '2026-11-26 07:30:09.576776+00');
INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 6, 'front', '{"delivered": 1}', '2026-11-26 07:30:09.576786+00');
INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 7, 'state', '{"state": "succeeded", "attempt": 1}', '2026-11-26 07:30:09.60632+00');
INSERT INTO public.events VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 8, 'end', '{"state": "succeeded", "attempt": 1}', '2026-11-26 07:30:09.606328+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 1, 'state', '{"state": "queued", "attempt": 0}', '2026-11-26 07:30:09.667081+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 2, 'state', '{"state": "running", "attempt": 1}', '2026-11-26 07:30:09.679623+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 3, 'log', '{"level": "warning", "message": "mind the gap"}', '2026-11-26 07:30:09.688447+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 4, 'candidates', '{"search": "srch_01a216c306817621a90ef4608492ca83", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}', '2026-11-26 07:30:09.693203+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 5, 'front', '{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}', '2026-11-26 07:30:09.703731+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 6, 'front', '{"delivered": 1}', '2026-11-26 07:30:09.703737+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 7, 'state', '{"state": "pausing", "attempt": 1}', '2026-11-26 07:30:09.718303+00');
INSERT INTO public.events VALUES ('job_01a216c306507d8dacaebc2735a5018c', 8, 'state', '{"state": "paused", "attempt": 1}', '2026-11-26 07:30:09.723413+00');
INSERT INTO public.events VALUES ('job_01a216c306c47c0d9811933cb393ec9a', 1, 'state', '{"state": "queued", "attempt": 0}', '2026-11-26 07:30:09.787828+00');


--
-- Data for Name: exports; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: idempotency_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.idempotency_keys VALUES ('ws_01a216c305397ae39f783761fd6fe971', 'key-True', '3d3c345c4b283ef589baf0df276c460a6484266c8432f73598999b6c16d37773', 'job_01a216c3059c7b5cbe1743f3d0e71122', '2026-11-26 07:30:09.479914+00');
INSERT INTO public.idempotency_keys VALUES ('ws_01a216c305397ae39f783761fd6fe971', 'key-False', '3d3c345c4b283ef589baf0df276c460a6484266c8432f73598999b6c16d37773', 'job_01a216c306507d8dacaebc2735a5018c', '2026-11-26 07:30:09.657947+00');


--
-- Data for Name: jobs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.jobs VALUES ('job_01a216c3059c7b5cbe1743f3d0e71122', 'ws_01a216c305397ae39f783761fd6fe971', 'key_01a216c3053b7c5796771e0192a49027', 'übung', 'succeeded', '{"model": "mdl_01a216c305507f98b9b70c50ea7207d0", "dataset": "dst_01a216c3055b7a4da91ce881c500b6bd", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}', '["a", "b"]', 0, 'mdl_01a216c305507f98b9b70c50ea7207d0', 'dst_01a216c3055b7a4da91ce881c500b6bd', 'bit-serial', 'art_01a216c305d17e58a895ba3be8e3cd5d', NULL, 'done', 0, 60, '{"accuracy": 0.8}', 1, 0.5, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"device": {"name": "x"}}', '["mind the gap"]', NULL, NULL, false, 1, 0, NULL, NULL, NULL, 8, 0, 0.07885885238647461, 3, '2026-11-26 07:30:09.494366+00', '2026-11-26 07:30:09.521986+00', '2026-11-26 07:30:09.599935+00', '', NULL);
INSERT INTO public.jobs VALUES ('job_01a216c306507d8dacaebc2735a5018c', 'ws_01a216c305397ae39f783761fd6fe971', 'key_01a216c3053b7c5796771e0192a49027', 'übung', 'paused', '{"model": "mdl_01a216c305507f98b9b70c50ea7207d0", "dataset": "dst_01a216c3055b7a4da91ce881c500b6bd", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}', '["a", "b"]', 0, 'mdl_01a216c305507f98b9b70c50ea7207d0', 'dst_01a216c3055b7a4da91ce881c500b6bd', 'bit-serial', 'art_01a216c3067f7fe09b3caad8f22d7077', NULL, 'preparing', 0, 60, '{"accuracy": 0.8}', 1, 0.5, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"device": {"name": "x"}}', '["mind the gap"]', NULL, NULL, false, 1, 0, NULL, NULL, NULL, 8, 0, 0.04332995414733887, 3, '2026-11-26 07:30:09.665401+00', '2026-11-26 07:30:09.677739+00', NULL, '', NULL);
INSERT INTO public.jobs VALUES ('job_01a216c306c47c0d9811933cb393ec9a', 'ws_01a216c305397ae39f783761fd6fe971', 'key_01a216c3053b7c5796771e0192a49027', NULL, 'queued', '{"model": "mdl_01a216c305507f98b9b70c50ea7207d0", "dataset": "dst_01a216c3055b7a4da91ce881c500b6bd", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "name": null, "tags": [], "priority": 0, "advised": null}', '[]', 0, 'mdl_01a216c305507f98b9b70c50ea7207d0', 'dst_01a216c3055b7a4da91ce881c500b6bd', 'bit-serial', 'art_01a216c306f67930b10a8866828315f5', NULL, 'queued', 0, 60, '{}', 0, NULL, NULL, NULL, '[]', NULL, NULL, false, 0, 0, NULL, NULL, NULL, 1, 0, 0, 0, '2026-11-26 07:30:09.785403+00', NULL, NULL, '', NULL);


--
-- Data for Name: messages; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: models; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.models VALUES (NULL, 'mdl_01a216c305507f98b9b70c50ea7207d0', 'ws_01a216c305397ae39f783761fd6fe971', 'art_01a216c30546769bab45dd01d5f2eedd', 'model', 'ready', '49957cc72dbcc7be9cbe8a4783209f852ad68f8c7b8f5bacf21cd4ba30aeed36', 36, NULL, '{"input_name": "x", "input_shape": [1, 8, 8], "output_name": "y", "output_shape": [10], "classes": 10, "parameters": 1418, "macs": 0, "layers": [], "groups": [], "network": {"input_shape": [1, 8, 8], "output": "classify", "operations": [{"name": "first", "kind": "conv2d", "in_axis": [[null, 1, 1]], "out_axis": [["a", 8, 1]], "inputs": ["input"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu1", "kind": "relu", "in_axis": [["a", 8, 1]], "out_axis": [["a", 8, 1]], "inputs": ["first"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "second", "kind": "conv2d", "in_axis": [["a", 8, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu1"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu2", "kind": "relu", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["second"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "pool", "kind": "global_avg_pool", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu2"], "in_hw": [8, 8], "out_hw": [1, 1], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "flatten", "kind": "flatten", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["pool"], "in_hw": [1, 1], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "classify", "kind": "linear", "in_axis": [["b", 16, 1]], "out_axis": [[null, 10, 1]], "inputs": ["flatten"], "in_hw": [], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": true, "removable_in": null, "extra": {}}], "groups": [{"name": "a", "units": 8, "producers": ["first"], "consumers": ["second"], "frozen": null, "kind": "channels"}, {"name": "b", "units": 16, "producers": ["second"], "consumers": ["classify"], "frozen": null, "kind": "channels"}], "blocks": []}, "warnings": []}', NULL, NULL, 0, '2026-11-26 07:30:09.360988+00');


--
-- Data for Name: searches; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.searches VALUES ('srch_01a216c305d3751b973a9337b448bd58', 'job_01a216c3059c7b5cbe1743f3d0e71122', 1, 'random', '{}', 0, true, 'running', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c305d3736fb6b4c2653957e946', 'job_01a216c3059c7b5cbe1743f3d0e71122', 2, 'uniform', '{}', 0, true, 'running', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c305d37538ab9627e2594a7a6e', 'job_01a216c3059c7b5cbe1743f3d0e71122', 0, 'nsga2', '{}', 0, false, 'running', 3, 1, 20, 0.2, 0.7666666666666666, 3, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c306817621a90ef4608492ca83', 'job_01a216c306507d8dacaebc2735a5018c', 0, 'nsga2', '{}', 0, false, 'paused', 3, 1, 20, 0.2, 0.7666666666666666, 3, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c306817cda8eddf92e9b27d608', 'job_01a216c306507d8dacaebc2735a5018c', 1, 'random', '{}', 0, true, 'paused', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c306817e26895aa128dd31c4d7', 'job_01a216c306507d8dacaebc2735a5018c', 2, 'uniform', '{}', 0, true, 'paused', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c306f87e5c80b58338adcffb69', 'job_01a216c306c47c0d9811933cb393ec9a', 0, 'nsga2', '{}', 0, false, 'queued', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c306f87b8e915cf441d8d07525', 'job_01a216c306c47c0d9811933cb393ec9a', 1, 'random', '{}', 0, true, 'queued', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a216c306f87d299fad08bd25dc59b0', 'job_01a216c306c47c0d9811933cb393ec9a', 2, 'uniform', '{}', 0, true, 'queued', 0, 0, 20, NULL, NULL, 0, NULL);


--
-- Data for Name: trainings; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: upload_parts; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: uploads; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.uploads VALUES ('upl_01a216c3070c7e0e9930c3d15a6ae1df', 'ws_01a216c305397ae39f783761fd6fe971', 'model', 'net.onnx', 'net.onnx', NULL, 10, '9b569cd062350ef2205068fc6eab4dee71ba9dc7d7855ce4815fde7aee7f5787', 4096, 'open', NULL, '2026-11-26 07:30:09.811266+00', '2026-11-27 07:30:09.811274+00');


--
-- Data for Name: webhooks; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.webhooks VALUES ('whk_01a216c307897c80bab5cd1e6d0cc8f4', 'ws_01a216c305397ae39f783761fd6fe971', 'https://93.184.216.34/hook', '["job.succeeded", "job.failed", "job.cancelled"]', 'whsec_0S6oR+6UTi90qe6xzISdHAus0sU9W6SelNZQfSoJvno=', NULL, NULL, '2026-11-26 07:30:09.929717+00');


--
-- Data for Name: workspaces; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.workspaces VALUES ('ws_01a216c305397ae39f783761fd6fe971', 'first', '2026-11-26 07:30:09.338852+00');


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: api_keys pk_api_keys; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT pk_api_keys PRIMARY KEY (id);


--
-- Name: artifacts pk_artifacts; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT pk_artifacts PRIMARY KEY (id);


--
-- Name: audit pk_audit; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (id);


--
-- Name: candidates pk_candidates; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT pk_candidates PRIMARY KEY (job_id, n);


--
-- Name: checkpoints pk_checkpoints; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT pk_checkpoints PRIMARY KEY (search_id);


--
-- Name: curve pk_curve; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.curve
    ADD CONSTRAINT pk_curve PRIMARY KEY (search_id, index);


--
-- Name: datasets pk_datasets; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT pk_datasets PRIMARY KEY (id);


--
-- Name: deliveries pk_deliveries; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT pk_deliveries PRIMARY KEY (job_id, n);


--
-- Name: devices pk_devices; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT pk_devices PRIMARY KEY (id);


--
-- Name: events pk_events; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (job_id, seq);


--
-- Name: exports pk_exports; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.exports
    ADD CONSTRAINT pk_exports PRIMARY KEY (job_id, n);


--
-- Name: idempotency_keys pk_idempotency_keys; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (workspace_id, key);


--
-- Name: jobs pk_jobs; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);


--
-- Name: messages pk_messages; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT pk_messages PRIMARY KEY (id);


--
-- Name: models pk_models; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.models
    ADD CONSTRAINT pk_models PRIMARY KEY (id);


--
-- Name: searches pk_searches; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.searches
    ADD CONSTRAINT pk_searches PRIMARY KEY (id);


--
-- Name: trainings pk_trainings; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trainings
    ADD CONSTRAINT pk_trainings PRIMARY KEY (job_id, n, part);


--
-- Name: upload_parts pk_upload_parts; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.upload_parts
    ADD CONSTRAINT pk_upload_parts PRIMARY KEY (upload_id, n);


--
-- Name: uploads pk_uploads; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT pk_uploads PRIMARY KEY (id);


--
-- Name: webhooks pk_webhooks; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT pk_webhooks PRIMARY KEY (id);


--
-- Name: workspaces pk_workspaces; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT pk_workspaces PRIMARY KEY (id);


--
-- Name: api_keys uq_api_keys_prefix; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT uq_api_keys_prefix UNIQUE (prefix);


--
-- Name: candidates uq_candidates_search_id_index; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT uq_candidates_search_id_index UNIQUE (search_id, index);


--
-- Name: devices uq_devices_workspace_id_name; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT uq_devices_workspace_id_name UNIQUE (workspace_id, name);


--
-- Name: searches uq_searches_job_id_position; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.searches
    ADD CONSTRAINT uq_searches_job_id_position UNIQUE (job_id, "position");


--
-- Name: workspaces uq_workspaces_name; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT uq_workspaces_name UNIQUE (name);


--
-- Name: ix_api_keys_workspace_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_api_keys_workspace_id ON public.api_keys USING btree (workspace_id);


--
-- Name: ix_artifacts_sha256; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_artifacts_sha256 ON public.artifacts USING btree (sha256);


--
-- Name: ix_artifacts_workspace_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_artifacts_workspace_id ON public.artifacts USING btree (workspace_id);


--
-- Name: ix_audit_workspace_id_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_audit_workspace_id_id ON public.audit USING btree (workspace_id, id);


--
-- Name: ix_candidates_job_id_accuracy_n; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_candidates_job_id_accuracy_n ON public.candidates USING btree (job_id, accuracy, n);


--
-- Name: ix_candidates_job_id_latency_ms_n; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_candidates_job_id_latency_ms_n ON public.candidates USING btree (job_id, latency_ms, n);


--
-- Name: ix_candidates_job_id_on_front; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_candidates_job_id_on_front ON public.candidates USING btree (job_id, on_front);


--
-- Name: ix_datasets_workspace_id_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_datasets_workspace_id_id ON public.datasets USING btree (workspace_id, id);


--
-- Name: ix_idempotency_keys_created_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_idempotency_keys_created_at ON public.idempotency_keys USING btree (created_at);


--
-- Name: ix_jobs_dataset_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_jobs_dataset_id ON public.jobs USING btree (dataset_id);


--
-- Name: ix_jobs_model_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_jobs_model_id ON public.jobs USING btree (model_id);


--
-- Name: ix_jobs_state_priority_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_jobs_state_priority_id ON public.jobs USING btree (state, priority, id);


--
-- Name: ix_jobs_workspace_id_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_jobs_workspace_id_id ON public.jobs USING btree (workspace_id, id);


--
-- Name: ix_messages_state_due_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_messages_state_due_at ON public.messages USING btree (state, due_at);


--
-- Name: ix_messages_webhook_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_messages_webhook_id ON public.messages USING btree (webhook_id);


--
-- Name: ix_models_workspace_id_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_models_workspace_id_id ON public.models USING btree (workspace_id, id);


--
-- Name: ix_uploads_workspace_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_uploads_workspace_id ON public.uploads USING btree (workspace_id);


--
-- Name: ix_webhooks_workspace_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_webhooks_workspace_id ON public.webhooks USING btree (workspace_id);


--
-- Name: api_keys fk_api_keys_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT fk_api_keys_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: artifacts fk_artifacts_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT fk_artifacts_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: audit fk_audit_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT fk_audit_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: candidates fk_candidates_job_id_jobs; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT fk_candidates_job_id_jobs FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;


--
-- Name: candidates fk_candidates_search_id_searches; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.candidates
    ADD CONSTRAINT fk_candidates_search_id_searches FOREIGN KEY (search_id) REFERENCES public.searches(id) ON DELETE CASCADE;


--
-- Name: checkpoints fk_checkpoints_search_id_searches; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.checkpoints
    ADD CONSTRAINT fk_checkpoints_search_id_searches FOREIGN KEY (search_id) REFERENCES public.searches(id) ON DELETE CASCADE;


--
-- Name: curve fk_curve_search_id_searches; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.curve
    ADD CONSTRAINT fk_curve_search_id_searches FOREIGN KEY (search_id) REFERENCES public.searches(id) ON DELETE CASCADE;


--
-- Name: datasets fk_datasets_artifact_id_artifacts; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT fk_datasets_artifact_id_artifacts FOREIGN KEY (artifact_id) REFERENCES public.artifacts(id);


--
-- Name: datasets fk_datasets_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT fk_datasets_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: deliveries fk_deliveries_artifact_id_artifacts; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT fk_deliveries_artifact_id_artifacts FOREIGN KEY (artifact_id) REFERENCES public.artifacts(id);


--
-- Name: deliveries fk_deliveries_job_id_jobs; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT fk_deliveries_job_id_jobs FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;


--
-- Name: devices fk_devices_artifact_id_artifacts; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT fk_devices_artifact_id_artifacts FOREIGN KEY (artifact_id) REFERENCES public.artifacts(id);


--
-- Name: devices fk_devices_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT fk_devices_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: events fk_events_job_id_jobs; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_job_id_jobs FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;


--
-- Name: exports fk_exports_job_id_jobs; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.exports
    ADD CONSTRAINT fk_exports_job_id_jobs FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;


--
-- Name: idempotency_keys fk_idempotency_keys_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT fk_idempotency_keys_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: jobs fk_jobs_dataset_id_datasets; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_dataset_id_datasets FOREIGN KEY (dataset_id) REFERENCES public.datasets(id);


--
-- Name: jobs fk_jobs_device_artifact_id_artifacts; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_device_artifact_id_artifacts FOREIGN KEY (device_artifact_id) REFERENCES public.artifacts(id);


--
-- Name: jobs fk_jobs_key_id_api_keys; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_key_id_api_keys FOREIGN KEY (key_id) REFERENCES public.api_keys(id);


--
-- Name: jobs fk_jobs_model_id_models; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_model_id_models FOREIGN KEY (model_id) REFERENCES public.models(id);


--
-- Name: jobs fk_jobs_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: messages fk_messages_webhook_id_webhooks; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT fk_messages_webhook_id_webhooks FOREIGN KEY (webhook_id) REFERENCES public.webhooks(id) ON DELETE CASCADE;


--
-- Name: models fk_models_artifact_id_artifacts; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.models
    ADD CONSTRAINT fk_models_artifact_id_artifacts FOREIGN KEY (artifact_id) REFERENCES public.artifacts(id);


--
-- Name: models fk_models_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.models
    ADD CONSTRAINT fk_models_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: searches fk_searches_job_id_jobs; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.searches
    ADD CONSTRAINT fk_searches_job_id_jobs FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;


--
-- Name: trainings fk_trainings_artifact_id_artifacts; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trainings
    ADD CONSTRAINT fk_trainings_artifact_id_artifacts FOREIGN KEY (artifact_id) REFERENCES public.artifacts(id);


--
-- Name: trainings fk_trainings_job_id_jobs; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.trainings
    ADD CONSTRAINT fk_trainings_job_id_jobs FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;


--
-- Name: upload_parts fk_upload_parts_upload_id_uploads; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.upload_parts
    ADD CONSTRAINT fk_upload_parts_upload_id_uploads FOREIGN KEY (upload_id) REFERENCES public.uploads(id) ON DELETE CASCADE;


--
-- Name: uploads fk_uploads_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT fk_uploads_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- Name: webhooks fk_webhooks_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT fk_webhooks_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


--
-- PostgreSQL database dump complete
--

\unrestrict 9z04qrhVbdBlNejIxoDusGhsmBBO6bIB82bLrpD1uk3cxVT10EGyTgbNr6c8B7B
