BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
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
INSERT INTO "api_keys" VALUES('key_01a2162b148c7425b0f6965030d2bdf2','ws_01a2162b146e7277bf6c0d820e42c833','test','oqulcqozn357','31591d73e9c95e776bdfd54f5ecb8917a512b101d033a00298e7c9da67dcc10e','["read", "write", "admin"]','2026-11-26 04:44:11.788669',NULL,NULL,'2026-11-26 04:44:12.804499');
INSERT INTO "api_keys" VALUES('key_01a2162b26a375d789731bc24922d0b7','ws_01a2162b146e7277bf6c0d820e42c833','old','5eij46yyel6k','a97be26f3b9bd694fc9326cb2460758d40271b4509f89d8e833fd7171e3f9060','["read", "write"]','2026-11-26 04:44:16.419269',NULL,'2026-11-26 04:44:16.572007',NULL);
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
INSERT INTO "artifacts" VALUES('art_01a2162b14ed7defbd64ba092b340914','ws_01a2162b146e7277bf6c0d820e42c833','f12c97b8dcb542990557faf79692efd3139abe81511d82e3dc29be1f3e8e58e0',36,'model','application/octet-stream','2026-11-26 04:44:11.964355');
INSERT INTO "artifacts" VALUES('art_01a2162b15487967a5db570fc6a845da','ws_01a2162b146e7277bf6c0d820e42c833','9a7f84a37e878fe62d51b911217f283d778e60d5f30fd3d5d6a3db511d20509a',36,'dataset','application/octet-stream','2026-11-26 04:44:12.023482');
INSERT INTO "artifacts" VALUES('art_01a2162b1a8e744cb43cf9e562861abf','ws_01a2162b146e7277bf6c0d820e42c833','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 04:44:13.377995');
INSERT INTO "artifacts" VALUES('art_01a2162b1d1476fb8f43a66788706291','ws_01a2162b146e7277bf6c0d820e42c833','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 04:44:13.972668');
INSERT INTO "artifacts" VALUES('art_01a2162b1e957debaed70e63e2f1f75d','ws_01a2162b146e7277bf6c0d820e42c833','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 04:44:14.413010');
INSERT INTO "artifacts" VALUES('art_01a2162b202379f5be61acb7049324a9','ws_01a2162b146e7277bf6c0d820e42c833','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 04:44:14.756508');
INSERT INTO "artifacts" VALUES('art_01a2162b2208762ba4ebe95a75206c6e','ws_01a2162b146e7277bf6c0d820e42c833','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 04:44:15.295387');
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
INSERT INTO "audit" VALUES('aud_01a2162b25f872e58ed4ff8da1494b24','ws_01a2162b146e7277bf6c0d820e42c833','key_01a2162b148c7425b0f6965030d2bdf2','webhook.create','whk_01a2162b25f87d98bf6a8bb4235aca96','testclient','req_01a2162b22f776a49ac3adacd1dc455a','2026-11-26 04:44:16.274805');
INSERT INTO "audit" VALUES('aud_01a2162b26a470c6a386cb1dc6e9ffc7','ws_01a2162b146e7277bf6c0d820e42c833','key_01a2162b148c7425b0f6965030d2bdf2','key.create','key_01a2162b26a375d789731bc24922d0b7','testclient','req_01a2162b265f73eaaa0f220d7fe07557','2026-11-26 04:44:16.421608');
INSERT INTO "audit" VALUES('aud_01a2162b275c7d54aa2a79c53f74e04b','ws_01a2162b146e7277bf6c0d820e42c833','key_01a2162b148c7425b0f6965030d2bdf2','key.revoke','key_01a2162b26a375d789731bc24922d0b7','testclient','req_01a2162b26eb78b091202b4e60664345','2026-11-26 04:44:16.605224');
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
INSERT INTO "candidates" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 04:44:13.684183');
INSERT INTO "candidates" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',1,'srch_01a2162b18df7c5796bbca963ffb5d11',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 04:44:13.751902');
INSERT INTO "candidates" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',4,'srch_01a2162b18df7c5796bbca963ffb5d11',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 04:44:13.751922');
INSERT INTO "candidates" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',7,'srch_01a2162b18df7c5796bbca963ffb5d11',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 04:44:13.751929');
INSERT INTO "candidates" VALUES('job_01a2162b1d8b741f9b554124ea734347',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 04:44:14.562065');
INSERT INTO "candidates" VALUES('job_01a2162b1d8b741f9b554124ea734347',1,'srch_01a2162b1d8e715bb53ad59db2d658e6',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 04:44:14.625179');
INSERT INTO "candidates" VALUES('job_01a2162b1d8b741f9b554124ea734347',4,'srch_01a2162b1d8e715bb53ad59db2d658e6',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 04:44:14.625201');
INSERT INTO "candidates" VALUES('job_01a2162b1d8b741f9b554124ea734347',7,'srch_01a2162b1d8e715bb53ad59db2d658e6',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 04:44:14.625210');
CREATE TABLE checkpoints (
	search_id VARCHAR(40) NOT NULL, 
	told INTEGER NOT NULL, 
	state JSON NOT NULL, 
	arrays BLOB NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (search_id), 
	CONSTRAINT fk_checkpoints_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "checkpoints" VALUES('srch_01a2162b18df7c5796bbca963ffb5d11',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
INSERT INTO "checkpoints" VALUES('srch_01a2162b1d8e715bb53ad59db2d658e6',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
CREATE TABLE curve (
	search_id VARCHAR(40) NOT NULL, 
	"index" INTEGER NOT NULL, 
	best DOUBLE, 
	hypervolume DOUBLE NOT NULL, 
	seconds DOUBLE NOT NULL, 
	CONSTRAINT pk_curve PRIMARY KEY (search_id, "index"), 
	CONSTRAINT fk_curve_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "curve" VALUES('srch_01a2162b18df7c5796bbca963ffb5d11',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2162b18df7c5796bbca963ffb5d11',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2162b18df7c5796bbca963ffb5d11',2,7.66666666666666607454e-01,0.2,3.0);
INSERT INTO "curve" VALUES('srch_01a2162b1d8e715bb53ad59db2d658e6',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2162b1d8e715bb53ad59db2d658e6',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2162b1d8e715bb53ad59db2d658e6',2,7.66666666666666607454e-01,0.2,3.0);
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
INSERT INTO "datasets" VALUES('dst_01a2162b15777caf87d93a2d82ac1331','ws_01a2162b146e7277bf6c0d820e42c833','art_01a2162b15487967a5db570fc6a845da','dataset','ready','9a7f84a37e878fe62d51b911217f283d778e60d5f30fd3d5d6a3db511d20509a',36,NULL,'{"splits": {"train": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "validation": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "test": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}}, "classes": 10, "label_min": 0, "label_max": 9, "mean": null, "std": null, "carved": [], "warnings": []}',NULL,NULL,0,'2026-11-26 04:44:12.023933');
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
INSERT INTO "deliveries" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2162b1d1476fb8f43a66788706291','{"model.onnx": "art_01a2162b1d1476fb8f43a66788706291"}','fp32','{}','2026-11-26 04:44:13.973805');
INSERT INTO "deliveries" VALUES('job_01a2162b1d8b741f9b554124ea734347',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2162b202379f5be61acb7049324a9','{"model.onnx": "art_01a2162b202379f5be61acb7049324a9"}','fp32','{}','2026-11-26 04:44:14.757133');
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
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 04:44:13.435493');
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',2,'state','{"state": "running", "attempt": 1}','2026-11-26 04:44:13.591133');
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 04:44:13.716324');
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',4,'candidates','{"search": "srch_01a2162b18df7c5796bbca963ffb5d11", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 04:44:13.789223');
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 04:44:13.938793');
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',6,'front','{"delivered": 1}','2026-11-26 04:44:13.938803');
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',7,'state','{"state": "succeeded", "attempt": 1}','2026-11-26 04:44:14.031413');
INSERT INTO "events" VALUES('job_01a2162b18b37e7d918fc4c807a102cf',8,'end','{"state": "succeeded", "attempt": 1}','2026-11-26 04:44:14.031420');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 04:44:14.439146');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',2,'state','{"state": "running", "attempt": 1}','2026-11-26 04:44:14.527438');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 04:44:14.592971');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',4,'candidates','{"search": "srch_01a2162b1d8e715bb53ad59db2d658e6", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 04:44:14.633254');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 04:44:14.709971');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',6,'front','{"delivered": 1}','2026-11-26 04:44:14.709977');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',7,'state','{"state": "pausing", "attempt": 1}','2026-11-26 04:44:14.841724');
INSERT INTO "events" VALUES('job_01a2162b1d8b741f9b554124ea734347',8,'state','{"state": "paused", "attempt": 1}','2026-11-26 04:44:14.899388');
INSERT INTO "events" VALUES('job_01a2162b20f77da3a6b4ca9eebdb1bbc',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 04:44:15.297325');
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
INSERT INTO "idempotency_keys" VALUES('ws_01a2162b146e7277bf6c0d820e42c833','key-True','e8d0bfc3b0bc0ee4acaabae3ea410ad0381845fe0e734e6802191cd90da25748','job_01a2162b18b37e7d918fc4c807a102cf','2026-11-26 04:44:12.851754');
INSERT INTO "idempotency_keys" VALUES('ws_01a2162b146e7277bf6c0d820e42c833','key-False','e8d0bfc3b0bc0ee4acaabae3ea410ad0381845fe0e734e6802191cd90da25748','job_01a2162b1d8b741f9b554124ea734347','2026-11-26 04:44:14.092023');
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
	finished_at DATETIME, 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT ck_jobs_worker CHECK ((state IN ('running', 'pausing', 'cancelling')) = (owner IS NOT NULL AND lease_expires_at IS NOT NULL)), 
	CONSTRAINT ck_jobs_state CHECK (state IN ('queued', 'running', 'pausing', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled')), 
	CONSTRAINT fk_jobs_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets (id), 
	CONSTRAINT fk_jobs_device_artifact_id_artifacts FOREIGN KEY(device_artifact_id) REFERENCES artifacts (id), 
	CONSTRAINT fk_jobs_key_id_api_keys FOREIGN KEY(key_id) REFERENCES api_keys (id), 
	CONSTRAINT fk_jobs_model_id_models FOREIGN KEY(model_id) REFERENCES models (id), 
	CONSTRAINT fk_jobs_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "jobs" VALUES('job_01a2162b18b37e7d918fc4c807a102cf','ws_01a2162b146e7277bf6c0d820e42c833','key_01a2162b148c7425b0f6965030d2bdf2','übung','succeeded','{"model": "mdl_01a2162b153d7753a5ed8743f5d89365", "dataset": "dst_01a2162b15777caf87d93a2d82ac1331", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "racing": 0.99, "metric": "top1", "compression": {}, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a2162b153d7753a5ed8743f5d89365','dst_01a2162b15777caf87d93a2d82ac1331','bit-serial','art_01a2162b1a8e744cb43cf9e562861abf',NULL,'done',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,4.6501445770263671875e-01,3,'2026-11-26 04:44:13.401284','2026-11-26 04:44:13.534333','2026-11-26 04:44:13.995414');
INSERT INTO "jobs" VALUES('job_01a2162b1d8b741f9b554124ea734347','ws_01a2162b146e7277bf6c0d820e42c833','key_01a2162b148c7425b0f6965030d2bdf2','übung','paused','{"model": "mdl_01a2162b153d7753a5ed8743f5d89365", "dataset": "dst_01a2162b15777caf87d93a2d82ac1331", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "racing": 0.99, "metric": "top1", "compression": {}, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a2162b153d7753a5ed8743f5d89365','dst_01a2162b15777caf87d93a2d82ac1331','bit-serial','art_01a2162b1e957debaed70e63e2f1f75d',NULL,'preparing',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,3.72035741806030273437e-01,3,'2026-11-26 04:44:14.413835','2026-11-26 04:44:14.501259',NULL);
INSERT INTO "jobs" VALUES('job_01a2162b20f77da3a6b4ca9eebdb1bbc','ws_01a2162b146e7277bf6c0d820e42c833','key_01a2162b148c7425b0f6965030d2bdf2',NULL,'queued','{"model": "mdl_01a2162b153d7753a5ed8743f5d89365", "dataset": "dst_01a2162b15777caf87d93a2d82ac1331", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "racing": 0.99, "metric": "top1", "compression": {}, "name": null, "tags": [], "priority": 0, "advised": null}','[]',0,'mdl_01a2162b153d7753a5ed8743f5d89365','dst_01a2162b15777caf87d93a2d82ac1331','bit-serial','art_01a2162b2208762ba4ebe95a75206c6e',NULL,'queued',0,60,'{}',0,NULL,NULL,NULL,'[]',NULL,NULL,0,0,0,NULL,NULL,NULL,1,0.0,0.0,0,'2026-11-26 04:44:15.296369',NULL,NULL);
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
INSERT INTO "models" VALUES(NULL,'mdl_01a2162b153d7753a5ed8743f5d89365','ws_01a2162b146e7277bf6c0d820e42c833','art_01a2162b14ed7defbd64ba092b340914','model','ready','f12c97b8dcb542990557faf79692efd3139abe81511d82e3dc29be1f3e8e58e0',36,NULL,'{"input_name": "x", "input_shape": [1, 8, 8], "output_name": "y", "output_shape": [10], "classes": 10, "parameters": 1418, "macs": 0, "layers": [], "groups": [], "network": {"input_shape": [1, 8, 8], "output": "classify", "operations": [{"name": "first", "kind": "conv2d", "in_axis": [[null, 1, 1]], "out_axis": [["a", 8, 1]], "inputs": ["input"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu1", "kind": "relu", "in_axis": [["a", 8, 1]], "out_axis": [["a", 8, 1]], "inputs": ["first"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "second", "kind": "conv2d", "in_axis": [["a", 8, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu1"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu2", "kind": "relu", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["second"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "pool", "kind": "global_avg_pool", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu2"], "in_hw": [8, 8], "out_hw": [1, 1], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "flatten", "kind": "flatten", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["pool"], "in_hw": [1, 1], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "classify", "kind": "linear", "in_axis": [["b", 16, 1]], "out_axis": [[null, 10, 1]], "inputs": ["flatten"], "in_hw": [], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": true, "removable_in": null, "extra": {}}], "groups": [{"name": "a", "units": 8, "producers": ["first"], "consumers": ["second"], "frozen": null, "kind": "channels"}, {"name": "b", "units": 16, "producers": ["second"], "consumers": ["classify"], "frozen": null, "kind": "channels"}], "blocks": []}, "warnings": []}',NULL,NULL,0,'2026-11-26 04:44:11.965096');
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
INSERT INTO "searches" VALUES('srch_01a2162b18df7c5796bbca963ffb5d11','job_01a2162b18b37e7d918fc4c807a102cf',0,'nsga2','{}',0,0,'running',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b18df757aa2c83eba0b16fa78','job_01a2162b18b37e7d918fc4c807a102cf',1,'random','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b18df73c9b2d19c5a2adc4952','job_01a2162b18b37e7d918fc4c807a102cf',2,'uniform','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b1d8e715bb53ad59db2d658e6','job_01a2162b1d8b741f9b554124ea734347',0,'nsga2','{}',0,0,'paused',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b1d8e75e2a9036862574a393b','job_01a2162b1d8b741f9b554124ea734347',1,'random','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b1d8e7bc5bff30a9f51ee2af1','job_01a2162b1d8b741f9b554124ea734347',2,'uniform','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b210c7a2aa560aeacfb6b4b55','job_01a2162b20f77da3a6b4ca9eebdb1bbc',0,'nsga2','{}',0,0,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b210c785791769b15a7f8e8bf','job_01a2162b20f77da3a6b4ca9eebdb1bbc',1,'random','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162b210c71f1aaf29df611878f6d','job_01a2162b20f77da3a6b4ca9eebdb1bbc',2,'uniform','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
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
INSERT INTO "uploads" VALUES('upl_01a2162b22a374278a303ed80e6dd59d','ws_01a2162b146e7277bf6c0d820e42c833','model','net.onnx','net.onnx',NULL,10,'9b569cd062350ef2205068fc6eab4dee71ba9dc7d7855ce4815fde7aee7f5787',4096,'open',NULL,'2026-11-26 04:44:15.419683','2026-11-27 04:44:15.419689');
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
INSERT INTO "webhooks" VALUES('whk_01a2162b25f87d98bf6a8bb4235aca96','ws_01a2162b146e7277bf6c0d820e42c833','https://93.184.216.34/hook','["job.succeeded", "job.failed", "job.cancelled"]','whsec_hFucyFODM1KTEFrbttIVO3JOlh0O0P9jm9hLqaP/yls=',NULL,NULL,'2026-11-26 04:44:16.248366');
CREATE TABLE workspaces (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT uq_workspaces_name UNIQUE (name)
);
INSERT INTO "workspaces" VALUES('ws_01a2162b146e7277bf6c0d820e42c833','first','2026-11-26 04:44:11.787866');
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
CREATE INDEX ix_candidates_job_id_accuracy_n ON candidates (job_id, accuracy, n);
CREATE INDEX ix_candidates_job_id_latency_ms_n ON candidates (job_id, latency_ms, n);
CREATE INDEX ix_candidates_job_id_on_front ON candidates (job_id, on_front);
CREATE INDEX ix_audit_workspace_id_id ON audit (workspace_id, id);
CREATE INDEX ix_webhooks_workspace_id ON webhooks (workspace_id);
CREATE INDEX ix_messages_state_due_at ON messages (state, due_at);
CREATE INDEX ix_messages_webhook_id ON messages (webhook_id);
COMMIT;
