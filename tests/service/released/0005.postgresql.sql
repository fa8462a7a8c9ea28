--
-- PostgreSQL database dump
--

\restrict poDjWo1bhKkvrgNhPF1h8ohyJ3ilAgUrpGc7NsY3BQGd364ekIcxYaa6U6n51P7

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
-- Name: spent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.spent (
    job_id character varying(40) NOT NULL,
    workspace_id character varying(40) NOT NULL,
    key_id character varying(40),
    cpu_seconds double precision NOT NULL,
    created_at timestamp with time zone NOT NULL
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

INSERT INTO public.alembic_version VALUES ('0005');


--
-- Data for Name: api_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.api_keys VALUES ('key_01a2184f254f750d9f1cf25f3a082ca1', 'ws_01a2184f254c707e85329c847c3a44e1', 'test', 'ybmmaekmd40y', '195ddc0bed397d5262b5d88ab1fc53bf62f642e7de462479db8fc7f4aa5fec35', '["read", "write", "admin"]', '2026-11-26 14:42:49.807178+00', NULL, NULL, '2026-11-26 14:42:50.114783+00');
INSERT INTO public.api_keys VALUES ('key_01a2184f297f736d869efaa0b8428986', 'ws_01a2184f254c707e85329c847c3a44e1', 'old', '6wjvq3mlybl1', '58bd658254d7c93606281984f917fc4a95c467ce98d989ba6eb1ea0a3b3218be', '["read", "write"]', '2026-11-26 14:42:50.879167+00', NULL, '2026-11-26 14:42:50.894978+00', NULL);


--
-- Data for Name: artifacts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.artifacts VALUES ('art_01a2184f25a870e086ca66321baee438', 'ws_01a2184f254c707e85329c847c3a44e1', '3a14b1d5580d253fc73eeb092f2d81ff14383492e533f97d3f9468ad333acd0c', 36, 'model', 'application/octet-stream', '2026-11-26 14:42:49.911937+00');
INSERT INTO public.artifacts VALUES ('art_01a2184f25c57e2caad52733c52c0d39', 'ws_01a2184f254c707e85329c847c3a44e1', 'aa02107e768e2a14f8d7d4e7b937137dda04f9285c8aa70b018472dfa9d3b434', 36, 'dataset', 'application/octet-stream', '2026-11-26 14:42:49.929623+00');
INSERT INTO public.artifacts VALUES ('art_01a2184f26e77300ae83f976e951aae7', 'ws_01a2184f254c707e85329c847c3a44e1', 'eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9', 900, 'bit-serial.json', 'application/json', '2026-11-26 14:42:50.217253+00');
INSERT INTO public.artifacts VALUES ('art_01a2184f27c87530a6a77dda28a73a6d', 'ws_01a2184f254c707e85329c847c3a44e1', '2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e', 9, 'candidate-1.onnx', 'application/octet-stream', '2026-11-26 14:42:50.441414+00');
INSERT INTO public.artifacts VALUES ('art_01a2184f28027dedb3c2ca09f715e707', 'ws_01a2184f254c707e85329c847c3a44e1', 'eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9', 900, 'bit-serial.json', 'application/json', '2026-11-26 14:42:50.499549+00');
INSERT INTO public.artifacts VALUES ('art_01a2184f287177a99c3a0283cc5a73d1', 'ws_01a2184f254c707e85329c847c3a44e1', '2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e', 9, 'candidate-1.onnx', 'application/octet-stream', '2026-11-26 14:42:50.610305+00');
INSERT INTO public.artifacts VALUES ('art_01a2184f28c17451b56c96f81bf5d6a7', 'ws_01a2184f254c707e85329c847c3a44e1', 'eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9', 900, 'bit-serial.json', 'application/json', '2026-11-26 14:42:50.690467+00');


--
-- Data for Name: audit; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit VALUES ('aud_01a2184f296d7fe582aa27a0885f27e4', 'ws_01a2184f254c707e85329c847c3a44e1', 'key_01a2184f254f750d9f1cf25f3a082ca1', 'webhook.create', 'whk_01a2184f296d75ce8b00eda434cfea35', 'testclient', 'req_01a2184f28f378768fed183ee157e72f', '2026-11-26 14:42:50.863014+00');
INSERT INTO public.audit VALUES ('aud_01a2184f2980776d8d325c795cfe6b30', 'ws_01a2184f254c707e85329c847c3a44e1', 'key_01a2184f254f750d9f1cf25f3a082ca1', 'key.create', 'key_01a2184f297f736d869efaa0b8428986', 'testclient', 'req_01a2184f297b76f791b0889bb96efb14', '2026-11-26 14:42:50.881025+00');
INSERT INTO public.audit VALUES ('aud_01a2184f29917f6584fc3c812f5aabc6', 'ws_01a2184f254c707e85329c847c3a44e1', 'key_01a2184f254f750d9f1cf25f3a082ca1', 'key.revoke', 'key_01a2184f297f736d869efaa0b8428986', 'testclient', 'req_01a2184f298b7669b435150fbf250ac5', '2026-11-26 14:42:50.897988+00');


--
-- Data for Name: candidates; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.candidates VALUES ('job_01a2184f268a7116a656a8653109951e', 0, NULL, 0, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', NULL, false, false, 0.9, 0.3333333333333333, 4000, 1.000000000000001e+15, NULL, NULL, NULL, '2026-11-26 14:42:50.340733+00');
INSERT INTO public.candidates VALUES ('job_01a2184f268a7116a656a8653109951e', 4, 'srch_01a2184f26f07297869ec3eddb5822c9', 1, '{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, false, 0.8, 2e-17, 1000, 3, NULL, NULL, NULL, '2026-11-26 14:42:50.363121+00');
INSERT INTO public.candidates VALUES ('job_01a2184f268a7116a656a8653109951e', 7, 'srch_01a2184f26f07297869ec3eddb5822c9', 2, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', NULL, 'it diverged
at once', false, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-26 14:42:50.363129+00');
INSERT INTO public.candidates VALUES ('job_01a2184f268a7116a656a8653109951e', 1, 'srch_01a2184f26f07297869ec3eddb5822c9', 0, '{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}', '{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, true, 0.7, 0.1, 2000, 7, NULL, NULL, NULL, '2026-11-26 14:42:50.363091+00');
INSERT INTO public.candidates VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 0, NULL, 0, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', NULL, false, false, 0.9, 0.3333333333333333, 4000, 1.000000000000001e+15, NULL, NULL, NULL, '2026-11-26 14:42:50.546537+00');
INSERT INTO public.candidates VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 4, 'srch_01a2184f2804739ba44c999262ea734c', 1, '{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}', '{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, false, 0.8, 2e-17, 1000, 3, NULL, NULL, NULL, '2026-11-26 14:42:50.563148+00');
INSERT INTO public.candidates VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 7, 'srch_01a2184f2804739ba44c999262ea734c', 2, '{"keep": {}, "bits": {}, "rank": {}, "removed": []}', NULL, 'it diverged
at once', false, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-26 14:42:50.563158+00');
INSERT INTO public.candidates VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 1, 'srch_01a2184f2804739ba44c999262ea734c', 0, '{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}', '{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}', NULL, true, true, 0.7, 0.1, 2000, 7, NULL, NULL, NULL, '2026-11-26 14:42:50.563115+00');


--
-- Data for Name: checkpoints; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.checkpoints VALUES ('srch_01a2184f26f07297869ec3eddb5822c9', 3, '{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
INSERT INTO public.checkpoints VALUES ('srch_01a2184f2804739ba44c999262ea734c', 3, '{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');


--
-- Data for Name: curve; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.curve VALUES ('srch_01a2184f26f07297869ec3eddb5822c9', 0, 0.7, 0, 0);
INSERT INTO public.curve VALUES ('srch_01a2184f26f07297869ec3eddb5822c9', 1, 0.7333333333333333, 0.1, 1.5);
INSERT INTO public.curve VALUES ('srch_01a2184f26f07297869ec3eddb5822c9', 2, 0.7666666666666666, 0.2, 3);
INSERT INTO public.curve VALUES ('srch_01a2184f2804739ba44c999262ea734c', 0, 0.7, 0, 0);
INSERT INTO public.curve VALUES ('srch_01a2184f2804739ba44c999262ea734c', 1, 0.7333333333333333, 0.1, 1.5);
INSERT INTO public.curve VALUES ('srch_01a2184f2804739ba44c999262ea734c', 2, 0.7666666666666666, 0.2, 3);


--
-- Data for Name: datasets; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.datasets VALUES ('dst_01a2184f25cb74f89bc8a2f3c130f310', 'ws_01a2184f254c707e85329c847c3a44e1', 'art_01a2184f25c57e2caad52733c52c0d39', 'dataset', 'ready', 'aa02107e768e2a14f8d7d4e7b937137dda04f9285c8aa70b018472dfa9d3b434', 36, NULL, '{"splits": {"train": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "validation": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "test": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}}, "classes": 10, "label_min": 0, "label_max": 9, "mean": null, "std": null, "carved": [], "warnings": []}', NULL, NULL, 0, '2026-11-26 14:42:49.931689+00');


--
-- Data for Name: deliveries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.deliveries VALUES ('job_01a2184f268a7116a656a8653109951e', 1, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', 'art_01a2184f27c87530a6a77dda28a73a6d', '{"model.onnx": "art_01a2184f27c87530a6a77dda28a73a6d"}', 'fp32', '{}', '2026-11-26 14:42:50.448315+00');
INSERT INTO public.deliveries VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 1, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', 'art_01a2184f287177a99c3a0283cc5a73d1', '{"model.onnx": "art_01a2184f287177a99c3a0283cc5a73d1"}', 'fp32', '{}', '2026-11-26 14:42:50.61163+00');


--
-- Data for Name: devices; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 1, 'state', '{"state": "queued", "attempt": 0}', '2026-11-26 14:42:50.237303+00');
INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 2, 'state', '{"state": "running", "attempt": 1}', '2026-11-26 14:42:50.30101+00');
INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 3, 'log', '{"level": "warning", "message": "mind the gap"}', '2026-11-26 14:42:50.351173+00');
INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 4, 'candidates', '{"search": "srch_01a2184f26f07297869ec3eddb5822c9", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}', '2026-11-26 14:42:50.374073+00');
INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 5, 'front', '{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}', '2026-11-26 14:42:50.416717+00');
INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 6, 'front', '{"delivered": 1}', '2026-11-26 14:42:50.416727+00');
INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 7, 'state', '{"state": "succeeded", "attempt": 1}', '2026-11-26 14:42:50.456575+00');
INSERT INTO public.events VALUES ('job_01a2184f268a7116a656a8653109951e', 8, 'end', '{"state": "succeeded", "attempt": 1}', '2026-11-26 14:42:50.456581+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 1, 'state', '{"state": "queued", "attempt": 0}', '2026-11-26 14:42:50.502974+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 2, 'state', '{"state": "running", "attempt": 1}', '2026-11-26 14:42:50.531731+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 3, 'log', '{"level": "warning", "message": "mind the gap"}', '2026-11-26 14:42:50.550585+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 4, 'candidates', '{"search": "srch_01a2184f2804739ba44c999262ea734c", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}', '2026-11-26 14:42:50.568699+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 5, 'front', '{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}', '2026-11-26 14:42:50.598674+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 6, 'front', '{"delivered": 1}', '2026-11-26 14:42:50.598684+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 7, 'state', '{"state": "pausing", "attempt": 1}', '2026-11-26 14:42:50.630006+00');
INSERT INTO public.events VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 8, 'state', '{"state": "paused", "attempt": 1}', '2026-11-26 14:42:50.644745+00');
INSERT INTO public.events VALUES ('job_01a2184f28a779e2aefa376a8ce99948', 1, 'state', '{"state": "queued", "attempt": 0}', '2026-11-26 14:42:50.695819+00');


--
-- Data for Name: exports; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: idempotency_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.idempotency_keys VALUES ('ws_01a2184f254c707e85329c847c3a44e1', 'key-True', 'a15431eeee18ff79ce51701e0053926723977b24e2f6fb632cea8bf8ee965761', 'job_01a2184f268a7116a656a8653109951e', '2026-11-26 14:42:50.157828+00');
INSERT INTO public.idempotency_keys VALUES ('ws_01a2184f254c707e85329c847c3a44e1', 'key-False', 'a15431eeee18ff79ce51701e0053926723977b24e2f6fb632cea8bf8ee965761', 'job_01a2184f27e678be9b01447ec8d4d768', '2026-11-26 14:42:50.487705+00');


--
-- Data for Name: jobs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.jobs VALUES ('job_01a2184f268a7116a656a8653109951e', 'ws_01a2184f254c707e85329c847c3a44e1', 'key_01a2184f254f750d9f1cf25f3a082ca1', 'übung', 'succeeded', '{"model": "mdl_01a2184f25ba73d88226e31fa93df2a6", "dataset": "dst_01a2184f25cb74f89bc8a2f3c130f310", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}', '["a", "b"]', 0, 'mdl_01a2184f25ba73d88226e31fa93df2a6', 'dst_01a2184f25cb74f89bc8a2f3c130f310', 'bit-serial', 'art_01a2184f26e77300ae83f976e951aae7', NULL, 'done', 0, 60, '{"accuracy": 0.8}', 1, 0.5, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"device": {"name": "x"}}', '["mind the gap"]', NULL, NULL, false, 1, 0, NULL, NULL, NULL, 8, 0, 0.1562039852142334, 3, '2026-11-26 14:42:50.232126+00', '2026-11-26 14:42:50.292464+00', '2026-11-26 14:42:50.451192+00', '', NULL);
INSERT INTO public.jobs VALUES ('job_01a2184f27e678be9b01447ec8d4d768', 'ws_01a2184f254c707e85329c847c3a44e1', 'key_01a2184f254f750d9f1cf25f3a082ca1', 'übung', 'paused', '{"model": "mdl_01a2184f25ba73d88226e31fa93df2a6", "dataset": "dst_01a2184f25cb74f89bc8a2f3c130f310", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}', '["a", "b"]', 0, 'mdl_01a2184f25ba73d88226e31fa93df2a6', 'dst_01a2184f25cb74f89bc8a2f3c130f310', 'bit-serial', 'art_01a2184f28027dedb3c2ca09f715e707', NULL, 'preparing', 0, 60, '{"accuracy": 0.8}', 1, 0.5, '{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}', '{"device": {"name": "x"}}', '["mind the gap"]', NULL, NULL, false, 1, 0, NULL, NULL, NULL, 8, 0, 0.11678814888000488, 3, '2026-11-26 14:42:50.501087+00', '2026-11-26 14:42:50.524341+00', NULL, '', NULL);
INSERT INTO public.jobs VALUES ('job_01a2184f28a779e2aefa376a8ce99948', 'ws_01a2184f254c707e85329c847c3a44e1', 'key_01a2184f254f750d9f1cf25f3a082ca1', NULL, 'queued', '{"model": "mdl_01a2184f25ba73d88226e31fa93df2a6", "dataset": "dst_01a2184f25cb74f89bc8a2f3c130f310", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": null, "tags": [], "priority": 0, "advised": null}', '[]', 0, 'mdl_01a2184f25ba73d88226e31fa93df2a6', 'dst_01a2184f25cb74f89bc8a2f3c130f310', 'bit-serial', 'art_01a2184f28c17451b56c96f81bf5d6a7', NULL, 'queued', 0, 60, '{}', 0, NULL, NULL, NULL, '[]', NULL, NULL, false, 0, 0, NULL, NULL, NULL, 1, 0, 0, 0, '2026-11-26 14:42:50.692477+00', NULL, NULL, '', NULL);


--
-- Data for Name: messages; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: models; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.models VALUES (NULL, 'mdl_01a2184f25ba73d88226e31fa93df2a6', 'ws_01a2184f254c707e85329c847c3a44e1', 'art_01a2184f25a870e086ca66321baee438', 'model', 'ready', '3a14b1d5580d253fc73eeb092f2d81ff14383492e533f97d3f9468ad333acd0c', 36, NULL, '{"input_name": "x", "input_shape": [1, 8, 8], "output_name": "y", "output_shape": [10], "classes": 10, "parameters": 1418, "macs": 0, "layers": [], "groups": [], "network": {"input_shape": [1, 8, 8], "output": "classify", "operations": [{"name": "first", "kind": "conv2d", "in_axis": [[null, 1, 1]], "out_axis": [["a", 8, 1]], "inputs": ["input"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu1", "kind": "relu", "in_axis": [["a", 8, 1]], "out_axis": [["a", 8, 1]], "inputs": ["first"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "second", "kind": "conv2d", "in_axis": [["a", 8, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu1"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu2", "kind": "relu", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["second"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "pool", "kind": "global_avg_pool", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu2"], "in_hw": [8, 8], "out_hw": [1, 1], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "flatten", "kind": "flatten", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["pool"], "in_hw": [1, 1], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "classify", "kind": "linear", "in_axis": [["b", 16, 1]], "out_axis": [[null, 10, 1]], "inputs": ["flatten"], "in_hw": [], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": true, "removable_in": null, "extra": {}}], "groups": [{"name": "a", "units": 8, "producers": ["first"], "consumers": ["second"], "frozen": null, "kind": "channels"}, {"name": "b", "units": 16, "producers": ["second"], "consumers": ["classify"], "frozen": null, "kind": "channels"}], "blocks": []}, "warnings": []}', NULL, NULL, 0, '2026-11-26 14:42:49.914764+00');


--
-- Data for Name: searches; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.searches VALUES ('srch_01a2184f26f07f4b9df310a52341dde3', 'job_01a2184f268a7116a656a8653109951e', 1, 'random', '{}', 0, true, 'running', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f26f0739cac2f55f33a4e9910', 'job_01a2184f268a7116a656a8653109951e', 2, 'uniform', '{}', 0, true, 'running', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f26f07297869ec3eddb5822c9', 'job_01a2184f268a7116a656a8653109951e', 0, 'nsga2', '{}', 0, false, 'running', 3, 1, 20, 0.2, 0.7666666666666666, 3, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f2804739ba44c999262ea734c', 'job_01a2184f27e678be9b01447ec8d4d768', 0, 'nsga2', '{}', 0, false, 'paused', 3, 1, 20, 0.2, 0.7666666666666666, 3, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f280473f1b9e881eb8166a431', 'job_01a2184f27e678be9b01447ec8d4d768', 1, 'random', '{}', 0, true, 'paused', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f280477ba962a4a6003b78bd3', 'job_01a2184f27e678be9b01447ec8d4d768', 2, 'uniform', '{}', 0, true, 'paused', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f28c37932a53a243267cae64c', 'job_01a2184f28a779e2aefa376a8ce99948', 0, 'nsga2', '{}', 0, false, 'queued', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f28c37a9a9a00c4de088bdfec', 'job_01a2184f28a779e2aefa376a8ce99948', 1, 'random', '{}', 0, true, 'queued', 0, 0, 20, NULL, NULL, 0, NULL);
INSERT INTO public.searches VALUES ('srch_01a2184f28c37e57976a4a6a931e4347', 'job_01a2184f28a779e2aefa376a8ce99948', 2, 'uniform', '{}', 0, true, 'queued', 0, 0, 20, NULL, NULL, 0, NULL);


--
-- Data for Name: spent; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: trainings; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: upload_parts; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: uploads; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.uploads VALUES ('upl_01a2184f28da7960aa7ff103bad1459b', 'ws_01a2184f254c707e85329c847c3a44e1', 'model', 'net.onnx', 'net.onnx', NULL, 10, '9b569cd062350ef2205068fc6eab4dee71ba9dc7d7855ce4815fde7aee7f5787', 4096, 'open', NULL, '2026-11-26 14:42:50.724761+00', '2026-11-27 14:42:50.72477+00');


--
-- Data for Name: webhooks; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.webhooks VALUES ('whk_01a2184f296d75ce8b00eda434cfea35', 'ws_01a2184f254c707e85329c847c3a44e1', 'https://93.184.216.34/hook', '["job.succeeded", "job.failed", "job.cancelled"]', 'whsec_o4L+svUYJ4XGItRi1ngPg1ctDrxLE/bXhWCrYs5qQho=', NULL, NULL, '2026-11-26 14:42:50.861481+00');


--
-- Data for Name: workspaces; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.workspaces VALUES ('ws_01a2184f254c707e85329c847c3a44e1', 'first', '2026-11-26 14:42:49.805551+00');


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
-- Name: spent pk_spent; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.spent
    ADD CONSTRAINT pk_spent PRIMARY KEY (job_id);


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
-- Name: ix_candidates_figures; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_candidates_figures ON public.candidates USING btree (job_id, n, search_id, index, feasible, on_front, accuracy, latency_ms, size_bytes, macs, bops, peak_memory_bytes, energy_mj);


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
-- Name: ix_spent_workspace_id_created_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_spent_workspace_id_created_at ON public.spent USING btree (workspace_id, created_at);


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
-- Name: spent fk_spent_workspace_id_workspaces; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.spent
    ADD CONSTRAINT fk_spent_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id);


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

\unrestrict poDjWo1bhKkvrgNhPF1h8ohyJ3ilAgUrpGc7NsY3BQGd364ekIcxYaa6U6n51P7
