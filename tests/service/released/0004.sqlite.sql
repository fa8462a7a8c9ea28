BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE api_keys (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	prefix VARCHAR(16) NOT NULL, 
	secret_sha256 VARCHAR(64) NOT NULL, 
	scopes JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	revoked_at DATETIME, 
	last_used_at DATETIME, 
	CONSTRAINT pk_api_keys PRIMARY KEY (id), 
	CONSTRAINT fk_api_keys_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id), 
	CONSTRAINT uq_api_keys_prefix UNIQUE (prefix)
);
INSERT INTO "api_keys" VALUES('key_01a2171911ec7101bdd8950d58289457','ws_01a2171911ea7455895be4dc922a5550','test','b13lnp8ycgfl','01dabf9a48bdc9faab98c8e5358fabea7f64306421087ba82c11c435bd1d37b1','["read", "write", "admin"]','2026-11-26 09:04:08.684055',NULL,NULL,'2026-11-26 09:04:09.029511');
INSERT INTO "api_keys" VALUES('key_01a2171914467e81a340d1d3e80e43d1','ws_01a2171911ea7455895be4dc922a5550','old','bqji6p6686kp','42e4e0460d3820a74b79c490a2a7ef0cf7f29fd56bdc82004089e176675fa6f6','["read", "write"]','2026-11-26 09:04:09.286449',NULL,'2026-11-26 09:04:09.293372',NULL);
CREATE TABLE artifacts (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	filename VARCHAR(255) NOT NULL, 
	media_type VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_artifacts PRIMARY KEY (id), 
	CONSTRAINT fk_artifacts_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "artifacts" VALUES('art_01a2171913007fa2a08d10acbf3c3990','ws_01a2171911ea7455895be4dc922a5550','6fbc62bb59db382fc0e34fccc0d8ce63de7e18c210b54866d2ec52c70b9a25e8',36,'model','application/octet-stream','2026-11-26 09:04:08.964098');
INSERT INTO "artifacts" VALUES('art_01a217191307772f89475d849728bc9a','ws_01a2171911ea7455895be4dc922a5550','9b2f0ff24865eac73e98906cd3919842453cf4f57145625e86dfcb0193042bbb',36,'dataset','application/octet-stream','2026-11-26 09:04:08.969270');
INSERT INTO "artifacts" VALUES('art_01a2171913767457b037d61ca66e609d','ws_01a2171911ea7455895be4dc922a5550','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 09:04:09.078793');
INSERT INTO "artifacts" VALUES('art_01a2171913b474d592a2f022e988a33d','ws_01a2171911ea7455895be4dc922a5550','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 09:04:09.140461');
INSERT INTO "artifacts" VALUES('art_01a2171913c47a3fbbf634663faecad0','ws_01a2171911ea7455895be4dc922a5550','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 09:04:09.156625');
INSERT INTO "artifacts" VALUES('art_01a2171913dc7eeca4773316f27e5482','ws_01a2171911ea7455895be4dc922a5550','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 09:04:09.180580');
INSERT INTO "artifacts" VALUES('art_01a2171913ee79c58ec08f8580ca0e08','ws_01a2171911ea7455895be4dc922a5550','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 09:04:09.198936');
CREATE TABLE audit (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	key_id VARCHAR(40), 
	action VARCHAR(64) NOT NULL, 
	subject VARCHAR(128) NOT NULL, 
	address VARCHAR(64), 
	request_id VARCHAR(64), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (id), 
	CONSTRAINT fk_audit_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "audit" VALUES('aud_01a21719143d743dbbf3585e8fd83b07','ws_01a2171911ea7455895be4dc922a5550','key_01a2171911ec7101bdd8950d58289457','webhook.create','whk_01a21719143d75589051163a16940ec7','testclient','req_01a2171913ff748db248c5b0b5d5371e','2026-11-26 09:04:09.278774');
INSERT INTO "audit" VALUES('aud_01a21719144770678fab45014f8c416d','ws_01a2171911ea7455895be4dc922a5550','key_01a2171911ec7101bdd8950d58289457','key.create','key_01a2171914467e81a340d1d3e80e43d1','testclient','req_01a2171914437488a1b41233639e1a26','2026-11-26 09:04:09.287611');
INSERT INTO "audit" VALUES('aud_01a21719144f7d87ae34579a4a4fb06a','ws_01a2171911ea7455895be4dc922a5550','key_01a2171911ec7101bdd8950d58289457','key.revoke','key_01a2171914467e81a340d1d3e80e43d1','testclient','req_01a21719144a7a1a8c54e03e3f7d73e1','2026-11-26 09:04:09.295336');
CREATE TABLE candidates (
	job_id VARCHAR(40) NOT NULL, 
	n INTEGER NOT NULL, 
	search_id VARCHAR(40), 
	"index" INTEGER NOT NULL, 
	policy JSON NOT NULL, 
	measurement JSON, 
	failure TEXT, 
	feasible BOOLEAN NOT NULL, 
	on_front BOOLEAN NOT NULL, 
	accuracy DOUBLE, 
	latency_ms DOUBLE, 
	size_bytes DOUBLE, 
	macs DOUBLE, 
	bops DOUBLE, 
	peak_memory_bytes DOUBLE, 
	energy_mj DOUBLE, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_candidates PRIMARY KEY (job_id, n), 
	CONSTRAINT ck_candidates_outcome CHECK ((measurement IS NULL) <> (failure IS NULL)), 
	CONSTRAINT fk_candidates_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	CONSTRAINT fk_candidates_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE, 
	CONSTRAINT uq_candidates_search_id_index UNIQUE (search_id, "index")
);
INSERT INTO "candidates" VALUES('job_01a2171913487afca1c4579f27e3607e',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 09:04:09.114874');
INSERT INTO "candidates" VALUES('job_01a2171913487afca1c4579f27e3607e',1,'srch_01a2171913777e9a958708618fc9b4e1',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 09:04:09.120427');
INSERT INTO "candidates" VALUES('job_01a2171913487afca1c4579f27e3607e',4,'srch_01a2171913777e9a958708618fc9b4e1',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 09:04:09.120446');
INSERT INTO "candidates" VALUES('job_01a2171913487afca1c4579f27e3607e',7,'srch_01a2171913777e9a958708618fc9b4e1',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 09:04:09.120453');
INSERT INTO "candidates" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 09:04:09.168554');
INSERT INTO "candidates" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',1,'srch_01a2171913c47602849fc7b28d3d18e2',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 09:04:09.170753');
INSERT INTO "candidates" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',4,'srch_01a2171913c47602849fc7b28d3d18e2',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 09:04:09.170770');
INSERT INTO "candidates" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',7,'srch_01a2171913c47602849fc7b28d3d18e2',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 09:04:09.170779');
CREATE TABLE checkpoints (
	search_id VARCHAR(40) NOT NULL, 
	told INTEGER NOT NULL, 
	state JSON NOT NULL, 
	arrays BLOB NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (search_id), 
	CONSTRAINT fk_checkpoints_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "checkpoints" VALUES('srch_01a2171913777e9a958708618fc9b4e1',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
INSERT INTO "checkpoints" VALUES('srch_01a2171913c47602849fc7b28d3d18e2',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
CREATE TABLE curve (
	search_id VARCHAR(40) NOT NULL, 
	"index" INTEGER NOT NULL, 
	best DOUBLE, 
	hypervolume DOUBLE NOT NULL, 
	seconds DOUBLE NOT NULL, 
	CONSTRAINT pk_curve PRIMARY KEY (search_id, "index"), 
	CONSTRAINT fk_curve_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "curve" VALUES('srch_01a2171913777e9a958708618fc9b4e1',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2171913777e9a958708618fc9b4e1',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2171913777e9a958708618fc9b4e1',2,7.66666666666666607454e-01,0.2,3.0);
INSERT INTO "curve" VALUES('srch_01a2171913c47602849fc7b28d3d18e2',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2171913c47602849fc7b28d3d18e2',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2171913c47602849fc7b28d3d18e2',2,7.66666666666666607454e-01,0.2,3.0);
CREATE TABLE datasets (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	artifact_id VARCHAR(40), 
	name VARCHAR(255) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	reason TEXT, 
	inspection JSON, 
	owner VARCHAR(64), 
	lease_expires_at DOUBLE, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_datasets PRIMARY KEY (id), 
	CONSTRAINT ck_datasets_state CHECK (state IN ('inspecting', 'ready', 'rejected')), 
	CONSTRAINT fk_datasets_artifact_id_artifacts FOREIGN KEY(artifact_id) REFERENCES artifacts (id), 
	CONSTRAINT fk_datasets_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "datasets" VALUES('dst_01a2171913097269bb749ea927c91b2a','ws_01a2171911ea7455895be4dc922a5550','art_01a217191307772f89475d849728bc9a','dataset','ready','9b2f0ff24865eac73e98906cd3919842453cf4f57145625e86dfcb0193042bbb',36,NULL,'{"splits": {"train": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "validation": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "test": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}}, "classes": 10, "label_min": 0, "label_max": 9, "mean": null, "std": null, "carved": [], "warnings": []}',NULL,NULL,0,'2026-11-26 09:04:08.969537');
CREATE TABLE deliveries (
	job_id VARCHAR(40) NOT NULL, 
	n INTEGER NOT NULL, 
	measurement JSON NOT NULL, 
	original JSON NOT NULL, 
	artifact_id VARCHAR(40) NOT NULL, 
	files JSON NOT NULL, 
	precision VARCHAR(16) NOT NULL, 
	report JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_deliveries PRIMARY KEY (job_id, n), 
	CONSTRAINT fk_deliveries_artifact_id_artifacts FOREIGN KEY(artifact_id) REFERENCES artifacts (id), 
	CONSTRAINT fk_deliveries_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "deliveries" VALUES('job_01a2171913487afca1c4579f27e3607e',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2171913b474d592a2f022e988a33d','{"model.onnx": "art_01a2171913b474d592a2f022e988a33d"}','fp32','{}','2026-11-26 09:04:09.141401');
INSERT INTO "deliveries" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2171913dc7eeca4773316f27e5482','{"model.onnx": "art_01a2171913dc7eeca4773316f27e5482"}','fp32','{}','2026-11-26 09:04:09.181014');
CREATE TABLE devices (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	summary TEXT NOT NULL, 
	weight_bits JSON NOT NULL, 
	activation_bits JSON NOT NULL, 
	provenance JSON NOT NULL, 
	rows INTEGER NOT NULL, 
	artifact_id VARCHAR(40) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_devices PRIMARY KEY (id), 
	CONSTRAINT fk_devices_artifact_id_artifacts FOREIGN KEY(artifact_id) REFERENCES artifacts (id), 
	CONSTRAINT fk_devices_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id), 
	CONSTRAINT uq_devices_workspace_id_name UNIQUE (workspace_id, name)
);
CREATE TABLE events (
	job_id VARCHAR(40) NOT NULL, 
	seq INTEGER NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	data JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (job_id, seq), 
	CONSTRAINT fk_events_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 09:04:09.083039');
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',2,'state','{"state": "running", "attempt": 1}','2026-11-26 09:04:09.102571');
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 09:04:09.118096');
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',4,'candidates','{"search": "srch_01a2171913777e9a958708618fc9b4e1", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 09:04:09.123631');
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 09:04:09.132196');
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',6,'front','{"delivered": 1}','2026-11-26 09:04:09.132201');
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',7,'state','{"state": "succeeded", "attempt": 1}','2026-11-26 09:04:09.145422');
INSERT INTO "events" VALUES('job_01a2171913487afca1c4579f27e3607e',8,'end','{"state": "succeeded", "attempt": 1}','2026-11-26 09:04:09.145425');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 09:04:09.157849');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',2,'state','{"state": "running", "attempt": 1}','2026-11-26 09:04:09.165107');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 09:04:09.169675');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',4,'candidates','{"search": "srch_01a2171913c47602849fc7b28d3d18e2", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 09:04:09.172074');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 09:04:09.177769');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',6,'front','{"delivered": 1}','2026-11-26 09:04:09.177774');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',7,'state','{"state": "pausing", "attempt": 1}','2026-11-26 09:04:09.185549');
INSERT INTO "events" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26',8,'state','{"state": "paused", "attempt": 1}','2026-11-26 09:04:09.188479');
INSERT INTO "events" VALUES('job_01a2171913e97eb9b3dfe4f84fd41a31',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 09:04:09.200350');
CREATE TABLE exports (
	job_id VARCHAR(40) NOT NULL, 
	n INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	message TEXT, 
	attempt INTEGER NOT NULL, 
	owner VARCHAR(64), 
	lease_expires_at DOUBLE, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_exports PRIMARY KEY (job_id, n), 
	CONSTRAINT ck_exports_state CHECK (state IN ('queued', 'running', 'done', 'failed')), 
	CONSTRAINT fk_exports_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE TABLE idempotency_keys (
	workspace_id VARCHAR(40) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	request_sha256 VARCHAR(64) NOT NULL, 
	resource_id VARCHAR(40) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (workspace_id, "key"), 
	CONSTRAINT fk_idempotency_keys_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "idempotency_keys" VALUES('ws_01a2171911ea7455895be4dc922a5550','key-True','e4db14a21cf14125e9ddaa1d5501fe993f0276bb3c77461391628b5ede952a8d','job_01a2171913487afca1c4579f27e3607e','2026-11-26 09:04:09.073030');
INSERT INTO "idempotency_keys" VALUES('ws_01a2171911ea7455895be4dc922a5550','key-False','e4db14a21cf14125e9ddaa1d5501fe993f0276bb3c77461391628b5ede952a8d','job_01a2171913bd7cdbb7e57e8ddf5fba26','2026-11-26 09:04:09.154064');
CREATE TABLE jobs (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	key_id VARCHAR(40), 
	name VARCHAR(255), 
	state VARCHAR(16) NOT NULL, 
	request JSON NOT NULL, 
	tags JSON NOT NULL, 
	priority INTEGER NOT NULL, 
	model_id VARCHAR(40) NOT NULL, 
	dataset_id VARCHAR(40) NOT NULL, 
	device_name VARCHAR(64) NOT NULL, 
	device_artifact_id VARCHAR(40) NOT NULL, 
	cloned_from VARCHAR(40), 
	phase VARCHAR(16) NOT NULL, 
	completed INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	best JSON NOT NULL, 
	front_size INTEGER NOT NULL, 
	hypervolume DOUBLE, 
	original JSON, 
	preparation JSON, 
	warnings JSON NOT NULL, 
	error_code VARCHAR(64), 
	error_message TEXT, 
	error_retryable BOOLEAN NOT NULL, 
	attempt INTEGER NOT NULL, 
	losses INTEGER NOT NULL, 
	owner VARCHAR(64), 
	lease_expires_at DOUBLE, 
	claimed_at DOUBLE, 
	last_seq INTEGER NOT NULL, 
	cpu_seconds DOUBLE NOT NULL, 
	wall_seconds DOUBLE NOT NULL, 
	evaluations INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, detail TEXT DEFAULT '' NOT NULL, eta_seconds DOUBLE, 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT ck_jobs_worker CHECK ((state IN ('running', 'pausing', 'cancelling')) = (owner IS NOT NULL AND lease_expires_at IS NOT NULL)), 
	CONSTRAINT ck_jobs_state CHECK (state IN ('queued', 'running', 'pausing', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled')), 
	CONSTRAINT fk_jobs_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets (id), 
	CONSTRAINT fk_jobs_device_artifact_id_artifacts FOREIGN KEY(device_artifact_id) REFERENCES artifacts (id), 
	CONSTRAINT fk_jobs_key_id_api_keys FOREIGN KEY(key_id) REFERENCES api_keys (id), 
	CONSTRAINT fk_jobs_model_id_models FOREIGN KEY(model_id) REFERENCES models (id), 
	CONSTRAINT fk_jobs_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "jobs" VALUES('job_01a2171913487afca1c4579f27e3607e','ws_01a2171911ea7455895be4dc922a5550','key_01a2171911ec7101bdd8950d58289457','übung','succeeded','{"model": "mdl_01a217191304767588cdf8c405539cfb", "dataset": "dst_01a2171913097269bb749ea927c91b2a", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a217191304767588cdf8c405539cfb','dst_01a2171913097269bb749ea927c91b2a','bit-serial','art_01a2171913767457b037d61ca66e609d',NULL,'done',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,4.3009281158447265625e-02,3,'2026-11-26 09:04:09.081343','2026-11-26 09:04:09.097671','2026-11-26 09:04:09.142509','',NULL);
INSERT INTO "jobs" VALUES('job_01a2171913bd7cdbb7e57e8ddf5fba26','ws_01a2171911ea7455895be4dc922a5550','key_01a2171911ec7101bdd8950d58289457','übung','paused','{"model": "mdl_01a217191304767588cdf8c405539cfb", "dataset": "dst_01a2171913097269bb749ea927c91b2a", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a217191304767588cdf8c405539cfb','dst_01a2171913097269bb749ea927c91b2a','bit-serial','art_01a2171913c47a3fbbf634663faecad0',NULL,'preparing',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,2.39789485931396484375e-02,3,'2026-11-26 09:04:09.157223','2026-11-26 09:04:09.163853',NULL,'',NULL);
INSERT INTO "jobs" VALUES('job_01a2171913e97eb9b3dfe4f84fd41a31','ws_01a2171911ea7455895be4dc922a5550','key_01a2171911ec7101bdd8950d58289457',NULL,'queued','{"model": "mdl_01a217191304767588cdf8c405539cfb", "dataset": "dst_01a2171913097269bb749ea927c91b2a", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": null, "tags": [], "priority": 0, "advised": null}','[]',0,'mdl_01a217191304767588cdf8c405539cfb','dst_01a2171913097269bb749ea927c91b2a','bit-serial','art_01a2171913ee79c58ec08f8580ca0e08',NULL,'queued',0,60,'{}',0,NULL,NULL,NULL,'[]',NULL,NULL,0,0,0,NULL,NULL,NULL,1,0.0,0.0,0,'2026-11-26 09:04:09.199727',NULL,NULL,'',NULL);
CREATE TABLE messages (
	id VARCHAR(40) NOT NULL, 
	webhook_id VARCHAR(40) NOT NULL, 
	type VARCHAR(32) NOT NULL, 
	payload JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts INTEGER NOT NULL, 
	due_at DOUBLE NOT NULL, 
	last_status INTEGER, 
	last_error TEXT, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_messages PRIMARY KEY (id), 
	CONSTRAINT ck_messages_state CHECK (state IN ('pending', 'delivered', 'failed')), 
	CONSTRAINT fk_messages_webhook_id_webhooks FOREIGN KEY(webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE
);
CREATE TABLE models (
	architecture VARCHAR(64), 
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	artifact_id VARCHAR(40), 
	name VARCHAR(255) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	reason TEXT, 
	inspection JSON, 
	owner VARCHAR(64), 
	lease_expires_at DOUBLE, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (id), 
	CONSTRAINT ck_models_state CHECK (state IN ('inspecting', 'ready', 'rejected')), 
	CONSTRAINT fk_models_artifact_id_artifacts FOREIGN KEY(artifact_id) REFERENCES artifacts (id), 
	CONSTRAINT fk_models_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "models" VALUES(NULL,'mdl_01a217191304767588cdf8c405539cfb','ws_01a2171911ea7455895be4dc922a5550','art_01a2171913007fa2a08d10acbf3c3990','model','ready','6fbc62bb59db382fc0e34fccc0d8ce63de7e18c210b54866d2ec52c70b9a25e8',36,NULL,'{"input_name": "x", "input_shape": [1, 8, 8], "output_name": "y", "output_shape": [10], "classes": 10, "parameters": 1418, "macs": 0, "layers": [], "groups": [], "network": {"input_shape": [1, 8, 8], "output": "classify", "operations": [{"name": "first", "kind": "conv2d", "in_axis": [[null, 1, 1]], "out_axis": [["a", 8, 1]], "inputs": ["input"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu1", "kind": "relu", "in_axis": [["a", 8, 1]], "out_axis": [["a", 8, 1]], "inputs": ["first"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "second", "kind": "conv2d", "in_axis": [["a", 8, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu1"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu2", "kind": "relu", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["second"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "pool", "kind": "global_avg_pool", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu2"], "in_hw": [8, 8], "out_hw": [1, 1], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "flatten", "kind": "flatten", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["pool"], "in_hw": [1, 1], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "classify", "kind": "linear", "in_axis": [["b", 16, 1]], "out_axis": [[null, 10, 1]], "inputs": ["flatten"], "in_hw": [], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": true, "removable_in": null, "extra": {}}], "groups": [{"name": "a", "units": 8, "producers": ["first"], "consumers": ["second"], "frozen": null, "kind": "channels"}, {"name": "b", "units": 16, "producers": ["second"], "consumers": ["classify"], "frozen": null, "kind": "channels"}], "blocks": []}, "warnings": []}',NULL,NULL,0,'2026-11-26 09:04:08.964704');
CREATE TABLE searches (
	id VARCHAR(40) NOT NULL, 
	job_id VARCHAR(40) NOT NULL, 
	position INTEGER NOT NULL, 
	algorithm VARCHAR(64) NOT NULL, 
	options JSON NOT NULL, 
	seed BIGINT NOT NULL, 
	baseline BOOLEAN NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	evaluated INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	hypervolume DOUBLE, 
	best DOUBLE, 
	seconds DOUBLE NOT NULL, 
	message TEXT, 
	CONSTRAINT pk_searches PRIMARY KEY (id), 
	CONSTRAINT ck_searches_state CHECK (state IN ('queued', 'running', 'pausing', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled')), 
	CONSTRAINT fk_searches_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_searches_job_id_position UNIQUE (job_id, position)
);
INSERT INTO "searches" VALUES('srch_01a2171913777e9a958708618fc9b4e1','job_01a2171913487afca1c4579f27e3607e',0,'nsga2','{}',0,0,'running',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a21719137779fbb940db5763be3aa1','job_01a2171913487afca1c4579f27e3607e',1,'random','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2171913777dda84f3e175dec98458','job_01a2171913487afca1c4579f27e3607e',2,'uniform','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2171913c47602849fc7b28d3d18e2','job_01a2171913bd7cdbb7e57e8ddf5fba26',0,'nsga2','{}',0,0,'paused',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2171913c474b1b62400c8a22a1eb0','job_01a2171913bd7cdbb7e57e8ddf5fba26',1,'random','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2171913c475aebe959cb0e4603832','job_01a2171913bd7cdbb7e57e8ddf5fba26',2,'uniform','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2171913ef74cabc89f9b68c72a4e9','job_01a2171913e97eb9b3dfe4f84fd41a31',0,'nsga2','{}',0,0,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2171913ef72e6a918bf0bfc18f1cb','job_01a2171913e97eb9b3dfe4f84fd41a31',1,'random','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2171913ef7e46adc3ab0874de7879','job_01a2171913e97eb9b3dfe4f84fd41a31',2,'uniform','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
CREATE TABLE trainings (
	job_id VARCHAR(40) NOT NULL, 
	n INTEGER NOT NULL, 
	part VARCHAR(32) NOT NULL, 
	artifact_id VARCHAR(40) NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_trainings PRIMARY KEY (job_id, n, part), 
	CONSTRAINT fk_trainings_artifact_id_artifacts FOREIGN KEY(artifact_id) REFERENCES artifacts (id), 
	CONSTRAINT fk_trainings_job_id_jobs FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE TABLE upload_parts (
	upload_id VARCHAR(40) NOT NULL, 
	n INTEGER NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_upload_parts PRIMARY KEY (upload_id, n), 
	CONSTRAINT fk_upload_parts_upload_id_uploads FOREIGN KEY(upload_id) REFERENCES uploads (id) ON DELETE CASCADE
);
CREATE TABLE uploads (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	filename VARCHAR(255) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	architecture VARCHAR(64), 
	size_bytes BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	part_size_bytes INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	resource_id VARCHAR(40), 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_uploads PRIMARY KEY (id), 
	CONSTRAINT fk_uploads_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "uploads" VALUES('upl_01a2171913f774bc96ce0046cfd42012','ws_01a2171911ea7455895be4dc922a5550','model','net.onnx','net.onnx',NULL,10,'9b569cd062350ef2205068fc6eab4dee71ba9dc7d7855ce4815fde7aee7f5787',4096,'open',NULL,'2026-11-26 09:04:09.210168','2026-11-27 09:04:09.210172');
CREATE TABLE webhooks (
	id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	url TEXT NOT NULL, 
	types JSON NOT NULL, 
	secret TEXT NOT NULL, 
	old_secret TEXT, 
	disabled_reason TEXT, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_webhooks PRIMARY KEY (id), 
	CONSTRAINT fk_webhooks_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "webhooks" VALUES('whk_01a21719143d75589051163a16940ec7','ws_01a2171911ea7455895be4dc922a5550','https://93.184.216.34/hook','["job.succeeded", "job.failed", "job.cancelled"]','whsec_CBXKjI3duYj9apgkPVL4We1I5YWyy0g/HTd6L/csJ/Y=',NULL,NULL,'2026-11-26 09:04:09.277320');
CREATE TABLE workspaces (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT uq_workspaces_name UNIQUE (name)
);
INSERT INTO "workspaces" VALUES('ws_01a2171911ea7455895be4dc922a5550','first','2026-11-26 09:04:08.683460');
CREATE INDEX ix_api_keys_workspace_id ON api_keys (workspace_id);
CREATE INDEX ix_artifacts_sha256 ON artifacts (sha256);
CREATE INDEX ix_artifacts_workspace_id ON artifacts (workspace_id);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
CREATE INDEX ix_uploads_workspace_id ON uploads (workspace_id);
CREATE INDEX ix_datasets_workspace_id_id ON datasets (workspace_id, id);
CREATE INDEX ix_models_workspace_id_id ON models (workspace_id, id);
CREATE INDEX ix_jobs_dataset_id ON jobs (dataset_id);
CREATE INDEX ix_jobs_model_id ON jobs (model_id);
CREATE INDEX ix_jobs_state_priority_id ON jobs (state, priority, id);
CREATE INDEX ix_jobs_workspace_id_id ON jobs (workspace_id, id);
CREATE INDEX ix_candidates_job_id_on_front ON candidates (job_id, on_front);
CREATE INDEX ix_audit_workspace_id_id ON audit (workspace_id, id);
CREATE INDEX ix_webhooks_workspace_id ON webhooks (workspace_id);
CREATE INDEX ix_messages_state_due_at ON messages (state, due_at);
CREATE INDEX ix_messages_webhook_id ON messages (webhook_id);
CREATE INDEX ix_candidates_figures ON candidates (job_id, n, search_id, "index", feasible, on_front, accuracy, latency_ms, size_bytes, macs, bops, peak_memory_bytes, energy_mj);
COMMIT;
