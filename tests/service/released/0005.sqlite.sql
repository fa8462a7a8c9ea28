BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
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
INSERT INTO "api_keys" VALUES('key_01a2184f10857422bcfca2208b23a152','ws_01a2184f107e767e9c60196af66a35d5','test','0e0jm6dw2rtb','c49a312abb34b5f346ad4c5c64e8977a76943e6bba810e968a35a05bd89e6c77','["read", "write", "admin"]','2026-11-26 14:42:44.485721',NULL,NULL,'2026-11-26 14:42:45.308813');
INSERT INTO "api_keys" VALUES('key_01a2184f168d76d4944a603901cdf3a8','ws_01a2184f107e767e9c60196af66a35d5','old','xntptish52vs','f043fe7142fc1d163ef67776bdd76b2f3f42f19ab201c3197a7ed462c007104f','["read", "write"]','2026-11-26 14:42:46.029466',NULL,'2026-11-26 14:42:46.064224',NULL);
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
INSERT INTO "artifacts" VALUES('art_01a2184f12f57a24a1244005b163b2f9','ws_01a2184f107e767e9c60196af66a35d5','f77f8039ddc422f2cde23b841f8f9ceca67b61d05517d3355e2540f762479dfe',36,'model','application/octet-stream','2026-11-26 14:42:45.130030');
INSERT INTO "artifacts" VALUES('art_01a2184f131573efbe150a794d655cdd','ws_01a2184f107e767e9c60196af66a35d5','e1f53271bc6065ff283a7e9dade79d92ef007d91284fdf8eaa818f6313d2b793',36,'dataset','application/octet-stream','2026-11-26 14:42:45.154977');
INSERT INTO "artifacts" VALUES('art_01a2184f142c7ced9346218d2f464ca3','ws_01a2184f107e767e9c60196af66a35d5','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 14:42:45.421140');
INSERT INTO "artifacts" VALUES('art_01a2184f14be7c8c9efd99b36b29d4c5','ws_01a2184f107e767e9c60196af66a35d5','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 14:42:45.568108');
INSERT INTO "artifacts" VALUES('art_01a2184f14e778abb1e02d9567bbdefe','ws_01a2184f107e767e9c60196af66a35d5','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 14:42:45.608037');
INSERT INTO "artifacts" VALUES('art_01a2184f153179739dc1e9a55f83f9c2','ws_01a2184f107e767e9c60196af66a35d5','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 14:42:45.681811');
INSERT INTO "artifacts" VALUES('art_01a2184f15727198bfbb0ed77d5fcab8','ws_01a2184f107e767e9c60196af66a35d5','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 14:42:45.747380');
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
INSERT INTO "audit" VALUES('aud_01a2184f16637e23b62ee4ada583b89c','ws_01a2184f107e767e9c60196af66a35d5','key_01a2184f10857422bcfca2208b23a152','webhook.create','whk_01a2184f166375299b2d8db99d0286a9','testclient','req_01a2184f15a37bd4b48415113ade87bb','2026-11-26 14:42:45.995045');
INSERT INTO "audit" VALUES('aud_01a2184f169273a79e8c312ab2a64059','ws_01a2184f107e767e9c60196af66a35d5','key_01a2184f10857422bcfca2208b23a152','key.create','key_01a2184f168d76d4944a603901cdf3a8','testclient','req_01a2184f16837179882365eba7999691','2026-11-26 14:42:46.035081');
INSERT INTO "audit" VALUES('aud_01a2184f16b47daa82493f60097e61d7','ws_01a2184f107e767e9c60196af66a35d5','key_01a2184f10857422bcfca2208b23a152','key.revoke','key_01a2184f168d76d4944a603901cdf3a8','testclient','req_01a2184f16a07005b1ab15fa47218cc0','2026-11-26 14:42:46.068753');
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
INSERT INTO "candidates" VALUES('job_01a2184f13c67558a20ffee75494024a',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 14:42:45.486385');
INSERT INTO "candidates" VALUES('job_01a2184f13c67558a20ffee75494024a',1,'srch_01a2184f142d7641a832720d80bfdc2f',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 14:42:45.506741');
INSERT INTO "candidates" VALUES('job_01a2184f13c67558a20ffee75494024a',4,'srch_01a2184f142d7641a832720d80bfdc2f',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 14:42:45.506787');
INSERT INTO "candidates" VALUES('job_01a2184f13c67558a20ffee75494024a',7,'srch_01a2184f142d7641a832720d80bfdc2f',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 14:42:45.506800');
INSERT INTO "candidates" VALUES('job_01a2184f14d77845ae177352677cb4ea',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 14:42:45.642604');
INSERT INTO "candidates" VALUES('job_01a2184f14d77845ae177352677cb4ea',1,'srch_01a2184f14e874bb89b4cc2529600b40',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 14:42:45.651014');
INSERT INTO "candidates" VALUES('job_01a2184f14d77845ae177352677cb4ea',4,'srch_01a2184f14e874bb89b4cc2529600b40',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 14:42:45.651040');
INSERT INTO "candidates" VALUES('job_01a2184f14d77845ae177352677cb4ea',7,'srch_01a2184f14e874bb89b4cc2529600b40',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 14:42:45.651052');
CREATE TABLE checkpoints (
	search_id VARCHAR(40) NOT NULL, 
	told INTEGER NOT NULL, 
	state JSON NOT NULL, 
	arrays BLOB NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (search_id), 
	CONSTRAINT fk_checkpoints_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "checkpoints" VALUES('srch_01a2184f142d7641a832720d80bfdc2f',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
INSERT INTO "checkpoints" VALUES('srch_01a2184f14e874bb89b4cc2529600b40',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
CREATE TABLE curve (
	search_id VARCHAR(40) NOT NULL, 
	"index" INTEGER NOT NULL, 
	best DOUBLE, 
	hypervolume DOUBLE NOT NULL, 
	seconds DOUBLE NOT NULL, 
	CONSTRAINT pk_curve PRIMARY KEY (search_id, "index"), 
	CONSTRAINT fk_curve_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "curve" VALUES('srch_01a2184f142d7641a832720d80bfdc2f',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2184f142d7641a832720d80bfdc2f',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2184f142d7641a832720d80bfdc2f',2,7.66666666666666607454e-01,0.2,3.0);
INSERT INTO "curve" VALUES('srch_01a2184f14e874bb89b4cc2529600b40',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2184f14e874bb89b4cc2529600b40',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2184f14e874bb89b4cc2529600b40',2,7.66666666666666607454e-01,0.2,3.0);
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
INSERT INTO "datasets" VALUES('dst_01a2184f132370b284ee1308ee50b4a0','ws_01a2184f107e767e9c60196af66a35d5','art_01a2184f131573efbe150a794d655cdd','dataset','ready','e1f53271bc6065ff283a7e9dade79d92ef007d91284fdf8eaa818f6313d2b793',36,NULL,'{"splits": {"train": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "validation": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "test": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}}, "classes": 10, "label_min": 0, "label_max": 9, "mean": null, "std": null, "carved": [], "warnings": []}',NULL,NULL,0,'2026-11-26 14:42:45.155500');
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
INSERT INTO "deliveries" VALUES('job_01a2184f13c67558a20ffee75494024a',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2184f14be7c8c9efd99b36b29d4c5','{"model.onnx": "art_01a2184f14be7c8c9efd99b36b29d4c5"}','fp32','{}','2026-11-26 14:42:45.569645');
INSERT INTO "deliveries" VALUES('job_01a2184f14d77845ae177352677cb4ea',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2184f153179739dc1e9a55f83f9c2','{"model.onnx": "art_01a2184f153179739dc1e9a55f83f9c2"}','fp32','{}','2026-11-26 14:42:45.682431');
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
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 14:42:45.431106');
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',2,'state','{"state": "running", "attempt": 1}','2026-11-26 14:42:45.461367');
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 14:42:45.497964');
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',4,'candidates','{"search": "srch_01a2184f142d7641a832720d80bfdc2f", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 14:42:45.513813');
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 14:42:45.548613');
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',6,'front','{"delivered": 1}','2026-11-26 14:42:45.548622');
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',7,'state','{"state": "succeeded", "attempt": 1}','2026-11-26 14:42:45.580510');
INSERT INTO "events" VALUES('job_01a2184f13c67558a20ffee75494024a',8,'end','{"state": "succeeded", "attempt": 1}','2026-11-26 14:42:45.580516');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 14:42:45.609847');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',2,'state','{"state": "running", "attempt": 1}','2026-11-26 14:42:45.631363');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 14:42:45.644837');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',4,'candidates','{"search": "srch_01a2184f14e874bb89b4cc2529600b40", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 14:42:45.653805');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 14:42:45.677505');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',6,'front','{"delivered": 1}','2026-11-26 14:42:45.677514');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',7,'state','{"state": "pausing", "attempt": 1}','2026-11-26 14:42:45.693923');
INSERT INTO "events" VALUES('job_01a2184f14d77845ae177352677cb4ea',8,'state','{"state": "paused", "attempt": 1}','2026-11-26 14:42:45.698418');
INSERT INTO "events" VALUES('job_01a2184f15567c709f72fc225efa49a3',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 14:42:45.749596');
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
INSERT INTO "idempotency_keys" VALUES('ws_01a2184f107e767e9c60196af66a35d5','key-True','12766d0a2a853b428acbf1194f9fcd66989a6bf5c584d3fe8727078e28d61271','job_01a2184f13c67558a20ffee75494024a','2026-11-26 14:42:45.406358');
INSERT INTO "idempotency_keys" VALUES('ws_01a2184f107e767e9c60196af66a35d5','key-False','12766d0a2a853b428acbf1194f9fcd66989a6bf5c584d3fe8727078e28d61271','job_01a2184f14d77845ae177352677cb4ea','2026-11-26 14:42:45.602976');
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
INSERT INTO "jobs" VALUES('job_01a2184f13c67558a20ffee75494024a','ws_01a2184f107e767e9c60196af66a35d5','key_01a2184f10857422bcfca2208b23a152','übung','succeeded','{"model": "mdl_01a2184f130b74d9bf7ee1e2b1350689", "dataset": "dst_01a2184f132370b284ee1308ee50b4a0", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a2184f130b74d9bf7ee1e2b1350689','dst_01a2184f132370b284ee1308ee50b4a0','bit-serial','art_01a2184f142c7ced9346218d2f464ca3',NULL,'done',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,1.19009494781494140625e-01,3,'2026-11-26 14:42:45.428379','2026-11-26 14:42:45.456939','2026-11-26 14:42:45.575658','',NULL);
INSERT INTO "jobs" VALUES('job_01a2184f14d77845ae177352677cb4ea','ws_01a2184f107e767e9c60196af66a35d5','key_01a2184f10857422bcfca2208b23a152','übung','paused','{"model": "mdl_01a2184f130b74d9bf7ee1e2b1350689", "dataset": "dst_01a2184f132370b284ee1308ee50b4a0", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a2184f130b74d9bf7ee1e2b1350689','dst_01a2184f132370b284ee1308ee50b4a0','bit-serial','art_01a2184f14e778abb1e02d9567bbdefe',NULL,'preparing',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,7.09712505340576171875e-02,3,'2026-11-26 14:42:45.608841','2026-11-26 14:42:45.625200',NULL,'',NULL);
INSERT INTO "jobs" VALUES('job_01a2184f15567c709f72fc225efa49a3','ws_01a2184f107e767e9c60196af66a35d5','key_01a2184f10857422bcfca2208b23a152',NULL,'queued','{"model": "mdl_01a2184f130b74d9bf7ee1e2b1350689", "dataset": "dst_01a2184f132370b284ee1308ee50b4a0", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "learn_from": null, "name": null, "tags": [], "priority": 0, "advised": null}','[]',0,'mdl_01a2184f130b74d9bf7ee1e2b1350689','dst_01a2184f132370b284ee1308ee50b4a0','bit-serial','art_01a2184f15727198bfbb0ed77d5fcab8',NULL,'queued',0,60,'{}',0,NULL,NULL,NULL,'[]',NULL,NULL,0,0,0,NULL,NULL,NULL,1,0.0,0.0,0,'2026-11-26 14:42:45.748637',NULL,NULL,'',NULL);
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
INSERT INTO "models" VALUES(NULL,'mdl_01a2184f130b74d9bf7ee1e2b1350689','ws_01a2184f107e767e9c60196af66a35d5','art_01a2184f12f57a24a1244005b163b2f9','model','ready','f77f8039ddc422f2cde23b841f8f9ceca67b61d05517d3355e2540f762479dfe',36,NULL,'{"input_name": "x", "input_shape": [1, 8, 8], "output_name": "y", "output_shape": [10], "classes": 10, "parameters": 1418, "macs": 0, "layers": [], "groups": [], "network": {"input_shape": [1, 8, 8], "output": "classify", "operations": [{"name": "first", "kind": "conv2d", "in_axis": [[null, 1, 1]], "out_axis": [["a", 8, 1]], "inputs": ["input"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu1", "kind": "relu", "in_axis": [["a", 8, 1]], "out_axis": [["a", 8, 1]], "inputs": ["first"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "second", "kind": "conv2d", "in_axis": [["a", 8, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu1"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu2", "kind": "relu", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["second"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "pool", "kind": "global_avg_pool", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu2"], "in_hw": [8, 8], "out_hw": [1, 1], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "flatten", "kind": "flatten", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["pool"], "in_hw": [1, 1], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "classify", "kind": "linear", "in_axis": [["b", 16, 1]], "out_axis": [[null, 10, 1]], "inputs": ["flatten"], "in_hw": [], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": true, "removable_in": null, "extra": {}}], "groups": [{"name": "a", "units": 8, "producers": ["first"], "consumers": ["second"], "frozen": null, "kind": "channels"}, {"name": "b", "units": 16, "producers": ["second"], "consumers": ["classify"], "frozen": null, "kind": "channels"}], "blocks": []}, "warnings": []}',NULL,NULL,0,'2026-11-26 14:42:45.131503');
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
INSERT INTO "searches" VALUES('srch_01a2184f142d7641a832720d80bfdc2f','job_01a2184f13c67558a20ffee75494024a',0,'nsga2','{}',0,0,'running',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f142d760082a0b597343d20e0','job_01a2184f13c67558a20ffee75494024a',1,'random','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f142d7d9aabfee49d093cb26a','job_01a2184f13c67558a20ffee75494024a',2,'uniform','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f14e874bb89b4cc2529600b40','job_01a2184f14d77845ae177352677cb4ea',0,'nsga2','{}',0,0,'paused',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f14e875e2a79ca8eb25ed1f30','job_01a2184f14d77845ae177352677cb4ea',1,'random','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f14e875439f67e639d7025ffe','job_01a2184f14d77845ae177352677cb4ea',2,'uniform','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f15737b04994da5eaf097cc4c','job_01a2184f15567c709f72fc225efa49a3',0,'nsga2','{}',0,0,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f15737793b3dae95921238ebf','job_01a2184f15567c709f72fc225efa49a3',1,'random','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2184f157372a582908dabb7b0fbaf','job_01a2184f15567c709f72fc225efa49a3',2,'uniform','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
CREATE TABLE spent (
	job_id VARCHAR(40) NOT NULL, 
	workspace_id VARCHAR(40) NOT NULL, 
	key_id VARCHAR(40), 
	cpu_seconds DOUBLE NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_spent PRIMARY KEY (job_id), 
	CONSTRAINT fk_spent_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
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
INSERT INTO "uploads" VALUES('upl_01a2184f158973ec96e5a2910f3d432c','ws_01a2184f107e767e9c60196af66a35d5','model','net.onnx','net.onnx',NULL,10,'9b569cd062350ef2205068fc6eab4dee71ba9dc7d7855ce4815fde7aee7f5787',4096,'open',NULL,'2026-11-26 14:42:45.773471','2026-11-27 14:42:45.773481');
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
INSERT INTO "webhooks" VALUES('whk_01a2184f166375299b2d8db99d0286a9','ws_01a2184f107e767e9c60196af66a35d5','https://93.184.216.34/hook','["job.succeeded", "job.failed", "job.cancelled"]','whsec_pflLHSir4e4rvhlqbkSZyOC1pUIXkEHmWOMfo2VCVeM=',NULL,NULL,'2026-11-26 14:42:45.987436');
CREATE TABLE workspaces (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT uq_workspaces_name UNIQUE (name)
);
INSERT INTO "workspaces" VALUES('ws_01a2184f107e767e9c60196af66a35d5','first','2026-11-26 14:42:44.484642');
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
CREATE INDEX ix_spent_workspace_id_created_at ON spent (workspace_id, created_at);
COMMIT;
