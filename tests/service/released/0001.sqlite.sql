BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
INSERT INTO "api_keys" VALUES('key_01a2162a961379d19b8f697fdfa35cd2','ws_01a2162a95de79f6abbf96e859cf8acd','test','3ysaowg37sx4','1c9605e73dfce3c36a2d7735184d33fdbb03c2f8a767c193d73cef46c5957d5b','["read", "write", "admin"]','2026-11-26 04:43:39.411603',NULL,NULL,'2026-11-26 04:43:40.592769');
INSERT INTO "api_keys" VALUES('key_01a2162aad6b72078c671a68b72ac0f6','ws_01a2162a95de79f6abbf96e859cf8acd','old','kogg0ptbsbzi','9f4580e43b2c091a11e47001e4a5726b784b4b2f74186f94667a88bbe18ecb38','["read", "write"]','2026-11-26 04:43:45.387168',NULL,'2026-11-26 04:43:45.523610',NULL);
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
INSERT INTO "artifacts" VALUES('art_01a2162a96d474f791d191b982cd7b2c','ws_01a2162a95de79f6abbf96e859cf8acd','991a99ec2e98c2146879df4b58b09e6a20d4cb5af343af3863becfbafa620e81',36,'model','application/octet-stream','2026-11-26 04:43:39.646227');
INSERT INTO "artifacts" VALUES('art_01a2162a972a761f91e1706bd860d0e4','ws_01a2162a95de79f6abbf96e859cf8acd','64ae966ded38352c204db6cab19facf4129d7c01a49424175196a146da97e6a1',36,'dataset','application/octet-stream','2026-11-26 04:43:39.736084');
INSERT INTO "artifacts" VALUES('art_01a2162a9c9779aca683c38490faa6e1','ws_01a2162a95de79f6abbf96e859cf8acd','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 04:43:41.105178');
INSERT INTO "artifacts" VALUES('art_01a2162aa0777881aa53a57dd308924b','ws_01a2162a95de79f6abbf96e859cf8acd','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 04:43:42.072126');
INSERT INTO "artifacts" VALUES('art_01a2162aa2d774c9b0e79aaced49dcd6','ws_01a2162a95de79f6abbf96e859cf8acd','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 04:43:42.711864');
INSERT INTO "artifacts" VALUES('art_01a2162aa546708c8aee7d98107985ef','ws_01a2162a95de79f6abbf96e859cf8acd','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 04:43:43.303897');
INSERT INTO "artifacts" VALUES('art_01a2162aa7967439a93f9d84c3b65257','ws_01a2162a95de79f6abbf96e859cf8acd','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 04:43:43.927741');
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
INSERT INTO "candidates" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 04:43:41.720717');
INSERT INTO "candidates" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',1,'srch_01a2162a9b377d8fb891037edc319989',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 04:43:41.798331');
INSERT INTO "candidates" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',4,'srch_01a2162a9b377d8fb891037edc319989',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 04:43:41.798359');
INSERT INTO "candidates" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',7,'srch_01a2162a9b377d8fb891037edc319989',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 04:43:41.798368');
INSERT INTO "candidates" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 04:43:42.965985');
INSERT INTO "candidates" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',1,'srch_01a2162aa1537357b2d80b8eb6f876d1',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 04:43:43.054753');
INSERT INTO "candidates" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',4,'srch_01a2162aa1537357b2d80b8eb6f876d1',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 04:43:43.054870');
INSERT INTO "candidates" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',7,'srch_01a2162aa1537357b2d80b8eb6f876d1',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 04:43:43.054890');
CREATE TABLE checkpoints (
	search_id VARCHAR(40) NOT NULL, 
	told INTEGER NOT NULL, 
	state JSON NOT NULL, 
	arrays BLOB NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (search_id), 
	CONSTRAINT fk_checkpoints_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "checkpoints" VALUES('srch_01a2162a9b377d8fb891037edc319989',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
INSERT INTO "checkpoints" VALUES('srch_01a2162aa1537357b2d80b8eb6f876d1',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
CREATE TABLE curve (
	search_id VARCHAR(40) NOT NULL, 
	"index" INTEGER NOT NULL, 
	best DOUBLE, 
	hypervolume DOUBLE NOT NULL, 
	seconds DOUBLE NOT NULL, 
	CONSTRAINT pk_curve PRIMARY KEY (search_id, "index"), 
	CONSTRAINT fk_curve_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "curve" VALUES('srch_01a2162a9b377d8fb891037edc319989',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2162a9b377d8fb891037edc319989',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2162a9b377d8fb891037edc319989',2,7.66666666666666607454e-01,0.2,3.0);
INSERT INTO "curve" VALUES('srch_01a2162aa1537357b2d80b8eb6f876d1',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a2162aa1537357b2d80b8eb6f876d1',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a2162aa1537357b2d80b8eb6f876d1',2,7.66666666666666607454e-01,0.2,3.0);
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
INSERT INTO "datasets" VALUES('dst_01a2162a975879508fcb281e7fdf2c39','ws_01a2162a95de79f6abbf96e859cf8acd','art_01a2162a972a761f91e1706bd860d0e4','dataset','ready','64ae966ded38352c204db6cab19facf4129d7c01a49424175196a146da97e6a1',36,NULL,'{"splits": {"train": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "validation": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "test": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}}, "classes": 10, "label_min": 0, "label_max": 9, "mean": null, "std": null, "carved": [], "warnings": []}',NULL,NULL,0,'2026-11-26 04:43:39.736703');
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
INSERT INTO "deliveries" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2162aa0777881aa53a57dd308924b','{"model.onnx": "art_01a2162aa0777881aa53a57dd308924b"}','fp32','{}','2026-11-26 04:43:42.074116');
INSERT INTO "deliveries" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a2162aa546708c8aee7d98107985ef','{"model.onnx": "art_01a2162aa546708c8aee7d98107985ef"}','fp32','{}','2026-11-26 04:43:43.305130');
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
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 04:43:41.157356');
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',2,'state','{"state": "running", "attempt": 1}','2026-11-26 04:43:41.459731');
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 04:43:41.752897');
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',4,'candidates','{"search": "srch_01a2162a9b377d8fb891037edc319989", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 04:43:41.873607');
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 04:43:42.014963');
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',6,'front','{"delivered": 1}','2026-11-26 04:43:42.014973');
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',7,'state','{"state": "succeeded", "attempt": 1}','2026-11-26 04:43:42.148223');
INSERT INTO "events" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe',8,'end','{"state": "succeeded", "attempt": 1}','2026-11-26 04:43:42.148232');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 04:43:42.714352');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',2,'state','{"state": "running", "attempt": 1}','2026-11-26 04:43:42.896722');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 04:43:43.008857');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',4,'candidates','{"search": "srch_01a2162aa1537357b2d80b8eb6f876d1", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 04:43:43.087755');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 04:43:43.209231');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',6,'front','{"delivered": 1}','2026-11-26 04:43:43.209242');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',7,'state','{"state": "pausing", "attempt": 1}','2026-11-26 04:43:43.416270');
INSERT INTO "events" VALUES('job_01a2162aa13670589dc3c746a5ca28a2',8,'state','{"state": "paused", "attempt": 1}','2026-11-26 04:43:43.483784');
INSERT INTO "events" VALUES('job_01a2162aa64c702daec4d5058eb05c73',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 04:43:43.947858');
CREATE TABLE idempotency_keys (
	workspace_id VARCHAR(40) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	request_sha256 VARCHAR(64) NOT NULL, 
	resource_id VARCHAR(40) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (workspace_id, "key"), 
	CONSTRAINT fk_idempotency_keys_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
INSERT INTO "idempotency_keys" VALUES('ws_01a2162a95de79f6abbf96e859cf8acd','key-True','a83954710cbcf316cfe16e2777e7a4eb3646b093cfa338587156a83170d42e99','job_01a2162a9ae47450b7dc5e06d86f34fe','2026-11-26 04:43:40.659245');
INSERT INTO "idempotency_keys" VALUES('ws_01a2162a95de79f6abbf96e859cf8acd','key-False','a83954710cbcf316cfe16e2777e7a4eb3646b093cfa338587156a83170d42e99','job_01a2162aa13670589dc3c746a5ca28a2','2026-11-26 04:43:42.263103');
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
INSERT INTO "jobs" VALUES('job_01a2162a9ae47450b7dc5e06d86f34fe','ws_01a2162a95de79f6abbf96e859cf8acd','key_01a2162a961379d19b8f697fdfa35cd2','übung','succeeded','{"model": "mdl_01a2162a971072718c3390542dd29f7a", "dataset": "dst_01a2162a975879508fcb281e7fdf2c39", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "racing": 0.99, "metric": "top1", "compression": {}, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a2162a971072718c3390542dd29f7a','dst_01a2162a975879508fcb281e7fdf2c39','bit-serial','art_01a2162a9c9779aca683c38490faa6e1',NULL,'done',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,7.06011056900024414062e-01,3,'2026-11-26 04:43:41.133522','2026-11-26 04:43:41.397681','2026-11-26 04:43:42.097150');
INSERT INTO "jobs" VALUES('job_01a2162aa13670589dc3c746a5ca28a2','ws_01a2162a95de79f6abbf96e859cf8acd','key_01a2162a961379d19b8f697fdfa35cd2','übung','paused','{"model": "mdl_01a2162a971072718c3390542dd29f7a", "dataset": "dst_01a2162a975879508fcb281e7fdf2c39", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "racing": 0.99, "metric": "top1", "compression": {}, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a2162a971072718c3390542dd29f7a','dst_01a2162a975879508fcb281e7fdf2c39','bit-serial','art_01a2162aa2d774c9b0e79aaced49dcd6',NULL,'preparing',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,5.690174102783203125e-01,3,'2026-11-26 04:43:42.713116','2026-11-26 04:43:42.873077',NULL);
INSERT INTO "jobs" VALUES('job_01a2162aa64c702daec4d5058eb05c73','ws_01a2162a95de79f6abbf96e859cf8acd','key_01a2162a961379d19b8f697fdfa35cd2',NULL,'queued','{"model": "mdl_01a2162a971072718c3390542dd29f7a", "dataset": "dst_01a2162a975879508fcb281e7fdf2c39", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "racing": 0.99, "metric": "top1", "compression": {}, "name": null, "tags": [], "priority": 0, "advised": null}','[]',0,'mdl_01a2162a971072718c3390542dd29f7a','dst_01a2162a975879508fcb281e7fdf2c39','bit-serial','art_01a2162aa7967439a93f9d84c3b65257',NULL,'queued',0,60,'{}',0,NULL,NULL,NULL,'[]',NULL,NULL,0,0,0,NULL,NULL,NULL,1,0.0,0.0,0,'2026-11-26 04:43:43.929122',NULL,NULL);
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
INSERT INTO "models" VALUES(NULL,'mdl_01a2162a971072718c3390542dd29f7a','ws_01a2162a95de79f6abbf96e859cf8acd','art_01a2162a96d474f791d191b982cd7b2c','model','ready','991a99ec2e98c2146879df4b58b09e6a20d4cb5af343af3863becfbafa620e81',36,NULL,'{"input_name": "x", "input_shape": [1, 8, 8], "output_name": "y", "output_shape": [10], "classes": 10, "parameters": 1418, "macs": 0, "layers": [], "groups": [], "network": {"input_shape": [1, 8, 8], "output": "classify", "operations": [{"name": "first", "kind": "conv2d", "in_axis": [[null, 1, 1]], "out_axis": [["a", 8, 1]], "inputs": ["input"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu1", "kind": "relu", "in_axis": [["a", 8, 1]], "out_axis": [["a", 8, 1]], "inputs": ["first"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "second", "kind": "conv2d", "in_axis": [["a", 8, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu1"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu2", "kind": "relu", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["second"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "pool", "kind": "global_avg_pool", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu2"], "in_hw": [8, 8], "out_hw": [1, 1], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "flatten", "kind": "flatten", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["pool"], "in_hw": [1, 1], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "classify", "kind": "linear", "in_axis": [["b", 16, 1]], "out_axis": [[null, 10, 1]], "inputs": ["flatten"], "in_hw": [], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": true, "removable_in": null, "extra": {}}], "groups": [{"name": "a", "units": 8, "producers": ["first"], "consumers": ["second"], "frozen": null, "kind": "channels"}, {"name": "b", "units": 16, "producers": ["second"], "consumers": ["classify"], "frozen": null, "kind": "channels"}], "blocks": []}, "warnings": []}',NULL,NULL,0,'2026-11-26 04:43:39.664705');
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
INSERT INTO "searches" VALUES('srch_01a2162a9b377d8fb891037edc319989','job_01a2162a9ae47450b7dc5e06d86f34fe',0,'nsga2','{}',0,0,'running',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162a9b377ee4a005a0e8760d2fa0','job_01a2162a9ae47450b7dc5e06d86f34fe',1,'random','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162a9b377e4f9c9f6407fb591f41','job_01a2162a9ae47450b7dc5e06d86f34fe',2,'uniform','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162aa1537357b2d80b8eb6f876d1','job_01a2162aa13670589dc3c746a5ca28a2',0,'nsga2','{}',0,0,'paused',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162aa15373f2b09f764bcfe1528d','job_01a2162aa13670589dc3c746a5ca28a2',1,'random','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162aa15373d98f74c462f8320c71','job_01a2162aa13670589dc3c746a5ca28a2',2,'uniform','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162aa663787aabe80b5d6bd4dae8','job_01a2162aa64c702daec4d5058eb05c73',0,'nsga2','{}',0,0,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162aa66372fe8afffba62ce4511e','job_01a2162aa64c702daec4d5058eb05c73',1,'random','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a2162aa66378ed8b289498d5410087','job_01a2162aa64c702daec4d5058eb05c73',2,'uniform','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
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
INSERT INTO "uploads" VALUES('upl_01a2162aa847750bb337fcfb6fb69bab','ws_01a2162a95de79f6abbf96e859cf8acd','model','net.onnx','net.onnx',NULL,10,'9b569cd062350ef2205068fc6eab4dee71ba9dc7d7855ce4815fde7aee7f5787',4096,'open',NULL,'2026-11-26 04:43:44.097990','2026-11-27 04:43:44.097999');
CREATE TABLE workspaces (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT uq_workspaces_name UNIQUE (name)
);
INSERT INTO "workspaces" VALUES('ws_01a2162a95de79f6abbf96e859cf8acd','first','2026-11-26 04:43:39.386168');
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
COMMIT;
