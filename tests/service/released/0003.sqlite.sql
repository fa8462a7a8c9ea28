BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
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
INSERT INTO "api_keys" VALUES('key_01a216c2fd6a74949d6415764e01ff18','ws_01a216c2fd697206b21761df3bea38a0','test','1r46mj4ylb89','a59eb2620800f8d81e97256866a1310f6823f4249a30ff5888e25b6d7c794623','["read", "write", "admin"]','2026-11-26 07:30:07.338853',NULL,NULL,'2026-11-26 07:30:07.435617');
INSERT INTO "api_keys" VALUES('key_01a216c2ff66727ab05c1830f56bc6d6','ws_01a216c2fd697206b21761df3bea38a0','old','19nyc2wezlnq','d1902e8296ab9f5afac887d9602d521c090d5f55cb8c1fee7e2d97e8b1547e0e','["read", "write"]','2026-11-26 07:30:07.846946',NULL,'2026-11-26 07:30:07.855992',NULL);
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
INSERT INTO "artifacts" VALUES('art_01a216c2fd86747995549ed85aeca768','ws_01a216c2fd697206b21761df3bea38a0','d7c9de5fc7e35c6e9f5d82466c06ead2e1558a3f1e3d0734d0df24c93fc44d43',36,'model','application/octet-stream','2026-11-26 07:30:07.369617');
INSERT INTO "artifacts" VALUES('art_01a216c2fd8c7e0382a0ebfc3e7fd034','ws_01a216c2fd697206b21761df3bea38a0','8b3097349adbee6203a27d23231bd56f04a2dd84e3befca77234e77127ad622b',36,'dataset','application/octet-stream','2026-11-26 07:30:07.374605');
INSERT INTO "artifacts" VALUES('art_01a216c2fe1d7d83b82bc4ac066ecbea','ws_01a216c2fd697206b21761df3bea38a0','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 07:30:07.518067');
INSERT INTO "artifacts" VALUES('art_01a216c2fe687ca3a36e3bf635234bab','ws_01a216c2fd697206b21761df3bea38a0','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 07:30:07.592451');
INSERT INTO "artifacts" VALUES('art_01a216c2fe9d73e692f026757bc354ae','ws_01a216c2fd697206b21761df3bea38a0','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 07:30:07.646423');
INSERT INTO "artifacts" VALUES('art_01a216c2fec47d52b598bc2e3e3e8a0d','ws_01a216c2fd697206b21761df3bea38a0','2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e',9,'candidate-1.onnx','application/octet-stream','2026-11-26 07:30:07.685199');
INSERT INTO "artifacts" VALUES('art_01a216c2fef6776099284d5a4fb95d57','ws_01a216c2fd697206b21761df3bea38a0','eaa7755349bc13c268d4750756083e30e31635437c803469b885b4c56cf516e9',900,'bit-serial.json','application/json','2026-11-26 07:30:07.735083');
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
INSERT INTO "audit" VALUES('aud_01a216c2ff5a7e1e9da914b7b0332f0a','ws_01a216c2fd697206b21761df3bea38a0','key_01a216c2fd6a74949d6415764e01ff18','webhook.create','whk_01a216c2ff5977938f9f0865bcd372b8','testclient','req_01a216c2ff1272b3a38138bdb42e4b9b','2026-11-26 07:30:07.836630');
INSERT INTO "audit" VALUES('aud_01a216c2ff67710288d74b8ee6e4a865','ws_01a216c2fd697206b21761df3bea38a0','key_01a216c2fd6a74949d6415764e01ff18','key.create','key_01a216c2ff66727ab05c1830f56bc6d6','testclient','req_01a216c2ff627b918aa6191f5d628277','2026-11-26 07:30:07.848137');
INSERT INTO "audit" VALUES('aud_01a216c2ff727f468e7aa6f4bd89c790','ws_01a216c2fd697206b21761df3bea38a0','key_01a216c2fd6a74949d6415764e01ff18','key.revoke','key_01a216c2ff66727ab05c1830f56bc6d6','testclient','req_01a216c2ff6b79f3a410acc7cc496d2a','2026-11-26 07:30:07.858999');
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
INSERT INTO "candidates" VALUES('job_01a216c2fdd17f69a81475023011209d',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 07:30:07.558257');
INSERT INTO "candidates" VALUES('job_01a216c2fdd17f69a81475023011209d',1,'srch_01a216c2fe1e7373acd89b78fcd7de92',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 07:30:07.565956');
INSERT INTO "candidates" VALUES('job_01a216c2fdd17f69a81475023011209d',4,'srch_01a216c2fe1e7373acd89b78fcd7de92',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 07:30:07.565979');
INSERT INTO "candidates" VALUES('job_01a216c2fdd17f69a81475023011209d',7,'srch_01a216c2fe1e7373acd89b78fcd7de92',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 07:30:07.565986');
INSERT INTO "candidates" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',0,NULL,0,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}',NULL,0,0,0.9,3.33333333333333314829e-01,4000.0,1.00000000000000099995e+15,NULL,NULL,NULL,'2026-11-26 07:30:07.670019');
INSERT INTO "candidates" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',1,'srch_01a216c2fea07f5c854bd6620baaa66b',0,'{"keep": {"a": 0.30000000000000004}, "bits": {"first": [4, 8]}, "rank": {}, "removed": []}','{"accuracy": 0.7, "latency_ms": 0.1, "size_bytes": 2000, "macs": 7, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,1,0.7,0.1,2000.0,7.0,NULL,NULL,NULL,'2026-11-26 07:30:07.673688');
INSERT INTO "candidates" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',4,'srch_01a216c2fea07f5c854bd6620baaa66b',1,'{"keep": {"a": [0, 3], "b": 0.3333333333333333}, "bits": {}, "rank": {}, "removed": []}','{"accuracy": 0.8, "latency_ms": 2e-17, "size_bytes": 1000, "macs": 3, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {}}',NULL,1,0,0.8,2.0e-17,1000.0,3.0,NULL,NULL,NULL,'2026-11-26 07:30:07.673712');
INSERT INTO "candidates" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',7,'srch_01a216c2fea07f5c854bd6620baaa66b',2,'{"keep": {}, "bits": {}, "rank": {}, "removed": []}',NULL,'it diverged
at once',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-26 07:30:07.673725');
CREATE TABLE checkpoints (
	search_id VARCHAR(40) NOT NULL, 
	told INTEGER NOT NULL, 
	state JSON NOT NULL, 
	arrays BLOB NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (search_id), 
	CONSTRAINT fk_checkpoints_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "checkpoints" VALUES('srch_01a216c2fe1e7373acd89b78fcd7de92',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
INSERT INTO "checkpoints" VALUES('srch_01a216c2fea07f5c854bd6620baaa66b',3,'{"rng": [9223372036854775808, 0.1, null], "seen": {"b": 1, "a": 2}}',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF');
CREATE TABLE curve (
	search_id VARCHAR(40) NOT NULL, 
	"index" INTEGER NOT NULL, 
	best DOUBLE, 
	hypervolume DOUBLE NOT NULL, 
	seconds DOUBLE NOT NULL, 
	CONSTRAINT pk_curve PRIMARY KEY (search_id, "index"), 
	CONSTRAINT fk_curve_search_id_searches FOREIGN KEY(search_id) REFERENCES searches (id) ON DELETE CASCADE
);
INSERT INTO "curve" VALUES('srch_01a216c2fe1e7373acd89b78fcd7de92',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a216c2fe1e7373acd89b78fcd7de92',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a216c2fe1e7373acd89b78fcd7de92',2,7.66666666666666607454e-01,0.2,3.0);
INSERT INTO "curve" VALUES('srch_01a216c2fea07f5c854bd6620baaa66b',0,0.7,0.0,0.0);
INSERT INTO "curve" VALUES('srch_01a216c2fea07f5c854bd6620baaa66b',1,7.33333333333333281522e-01,0.1,1.5);
INSERT INTO "curve" VALUES('srch_01a216c2fea07f5c854bd6620baaa66b',2,7.66666666666666607454e-01,0.2,3.0);
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
INSERT INTO "datasets" VALUES('dst_01a216c2fd8e73f7b1e816a2b828df0a','ws_01a216c2fd697206b21761df3bea38a0','art_01a216c2fd8c7e0382a0ebfc3e7fd034','dataset','ready','8b3097349adbee6203a27d23231bd56f04a2dd84e3befca77234e77127ad622b',36,NULL,'{"splits": {"train": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "validation": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}, "test": {"samples": 60, "shape": [1, 8, 8], "dtype": "float32", "target_shape": [], "target_dtype": "int64"}}, "classes": 10, "label_min": 0, "label_max": 9, "mean": null, "std": null, "carved": [], "warnings": []}',NULL,NULL,0,'2026-11-26 07:30:07.374881');
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
INSERT INTO "deliveries" VALUES('job_01a216c2fdd17f69a81475023011209d',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a216c2fe687ca3a36e3bf635234bab','{"model.onnx": "art_01a216c2fe687ca3a36e3bf635234bab"}','fp32','{}','2026-11-26 07:30:07.593596');
INSERT INTO "deliveries" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',1,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','art_01a216c2fec47d52b598bc2e3e3e8a0d','{"model.onnx": "art_01a216c2fec47d52b598bc2e3e3e8a0d"}','fp32','{}','2026-11-26 07:30:07.685693');
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
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 07:30:07.524214');
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',2,'state','{"state": "running", "attempt": 1}','2026-11-26 07:30:07.545070');
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 07:30:07.562162');
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',4,'candidates','{"search": "srch_01a216c2fe1e7373acd89b78fcd7de92", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 07:30:07.570914');
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 07:30:07.584303');
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',6,'front','{"delivered": 1}','2026-11-26 07:30:07.584312');
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',7,'state','{"state": "succeeded", "attempt": 1}','2026-11-26 07:30:07.601436');
INSERT INTO "events" VALUES('job_01a216c2fdd17f69a81475023011209d',8,'end','{"state": "succeeded", "attempt": 1}','2026-11-26 07:30:07.601441');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 07:30:07.650040');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',2,'state','{"state": "running", "attempt": 1}','2026-11-26 07:30:07.664270');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',3,'log','{"level": "warning", "message": "mind the gap"}','2026-11-26 07:30:07.672001');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',4,'candidates','{"search": "srch_01a216c2fea07f5c854bd6620baaa66b", "algorithm": "nsga2", "numbers": [1, 4, 7], "failed": 1, "told": 3, "gauges": {}}','2026-11-26 07:30:07.675736');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',5,'front','{"size": 1, "hypervolume": 0.5, "best": {"accuracy": 0.8}}','2026-11-26 07:30:07.681824');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',6,'front','{"delivered": 1}','2026-11-26 07:30:07.681829');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',7,'state','{"state": "pausing", "attempt": 1}','2026-11-26 07:30:07.691027');
INSERT INTO "events" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532',8,'state','{"state": "paused", "attempt": 1}','2026-11-26 07:30:07.694425');
INSERT INTO "events" VALUES('job_01a216c2fed475c98f6d80276476d54c',1,'state','{"state": "queued", "attempt": 0}','2026-11-26 07:30:07.736664');
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
INSERT INTO "idempotency_keys" VALUES('ws_01a216c2fd697206b21761df3bea38a0','key-True','e9dc60904434e46563b6d6bd34d0336365b11e7b13879778b0fa23c16fcaf119','job_01a216c2fdd17f69a81475023011209d','2026-11-26 07:30:07.510648');
INSERT INTO "idempotency_keys" VALUES('ws_01a216c2fd697206b21761df3bea38a0','key-False','e9dc60904434e46563b6d6bd34d0336365b11e7b13879778b0fa23c16fcaf119','job_01a216c2fe7873ba88d0f89b5a0d2532','2026-11-26 07:30:07.641278');
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
INSERT INTO "jobs" VALUES('job_01a216c2fdd17f69a81475023011209d','ws_01a216c2fd697206b21761df3bea38a0','key_01a216c2fd6a74949d6415764e01ff18','übung','succeeded','{"model": "mdl_01a216c2fd8a7df58fb1ec8d2f6c4db4", "dataset": "dst_01a216c2fd8e73f7b1e816a2b828df0a", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a216c2fd8a7df58fb1ec8d2f6c4db4','dst_01a216c2fd8e73f7b1e816a2b828df0a','bit-serial','art_01a216c2fe1d7d83b82bc4ac066ecbea',NULL,'done',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,5.600452423095703125e-02,3,'2026-11-26 07:30:07.521632','2026-11-26 07:30:07.540563','2026-11-26 07:30:07.594906','',NULL);
INSERT INTO "jobs" VALUES('job_01a216c2fe7873ba88d0f89b5a0d2532','ws_01a216c2fd697206b21761df3bea38a0','key_01a216c2fd6a74949d6415764e01ff18','übung','paused','{"model": "mdl_01a216c2fd8a7df58fb1ec8d2f6c4db4", "dataset": "dst_01a216c2fd8e73f7b1e816a2b828df0a", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "name": "\u00fcbung", "tags": ["a", "b"], "priority": 0, "advised": null}','["a", "b"]',0,'mdl_01a216c2fd8a7df58fb1ec8d2f6c4db4','dst_01a216c2fd8e73f7b1e816a2b828df0a','bit-serial','art_01a216c2fe9d73e692f026757bc354ae',NULL,'preparing',0,60,'{"accuracy": 0.8}',1,0.5,'{"accuracy": 0.9, "latency_ms": 0.3333333333333333, "size_bytes": 4000, "macs": 1000000000000001, "bops": null, "peak_memory_bytes": null, "energy_mj": null, "obtained": {"accuracy": {"how": "measured", "where": "validation"}}}','{"device": {"name": "x"}}','["mind the gap"]',NULL,NULL,0,1,0,NULL,NULL,NULL,8,0.0,0.0300137996673584,3,'2026-11-26 07:30:07.648944','2026-11-26 07:30:07.662294',NULL,'',NULL);
INSERT INTO "jobs" VALUES('job_01a216c2fed475c98f6d80276476d54c','ws_01a216c2fd697206b21761df3bea38a0','key_01a216c2fd6a74949d6415764e01ff18',NULL,'queued','{"model": "mdl_01a216c2fd8a7df58fb1ec8d2f6c4db4", "dataset": "dst_01a216c2fd8e73f7b1e816a2b828df0a", "device": "bit-serial", "algorithms": ["nsga2"], "objectives": ["accuracy", "latency_ms"], "constraints": ["latency_ratio <= 0.8"], "budget": {"candidates": 20, "seconds": null}, "seed": 0, "window": 8, "finetune_epochs": 1.0, "deliver": 8, "validation_samples": null, "finalists": 0, "racing": 0.99, "metric": "top1", "compression": {}, "data": "full", "recovery": {}, "batch": 1, "name": null, "tags": [], "priority": 0, "advised": null}','[]',0,'mdl_01a216c2fd8a7df58fb1ec8d2f6c4db4','dst_01a216c2fd8e73f7b1e816a2b828df0a','bit-serial','art_01a216c2fef6776099284d5a4fb95d57',NULL,'queued',0,60,'{}',0,NULL,NULL,NULL,'[]',NULL,NULL,0,0,0,NULL,NULL,NULL,1,0.0,0.0,0,'2026-11-26 07:30:07.735930',NULL,NULL,'',NULL);
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
INSERT INTO "models" VALUES(NULL,'mdl_01a216c2fd8a7df58fb1ec8d2f6c4db4','ws_01a216c2fd697206b21761df3bea38a0','art_01a216c2fd86747995549ed85aeca768','model','ready','d7c9de5fc7e35c6e9f5d82466c06ead2e1558a3f1e3d0734d0df24c93fc44d43',36,NULL,'{"input_name": "x", "input_shape": [1, 8, 8], "output_name": "y", "output_shape": [10], "classes": 10, "parameters": 1418, "macs": 0, "layers": [], "groups": [], "network": {"input_shape": [1, 8, 8], "output": "classify", "operations": [{"name": "first", "kind": "conv2d", "in_axis": [[null, 1, 1]], "out_axis": [["a", 8, 1]], "inputs": ["input"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu1", "kind": "relu", "in_axis": [["a", 8, 1]], "out_axis": [["a", 8, 1]], "inputs": ["first"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "second", "kind": "conv2d", "in_axis": [["a", 8, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu1"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "bias": true, "removable_in": null, "extra": {}}, {"name": "relu2", "kind": "relu", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["second"], "in_hw": [8, 8], "out_hw": [8, 8], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "pool", "kind": "global_avg_pool", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["relu2"], "in_hw": [8, 8], "out_hw": [1, 1], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "flatten", "kind": "flatten", "in_axis": [["b", 16, 1]], "out_axis": [["b", 16, 1]], "inputs": ["pool"], "in_hw": [1, 1], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": false, "removable_in": null, "extra": {}}, {"name": "classify", "kind": "linear", "in_axis": [["b", 16, 1]], "out_axis": [[null, 10, 1]], "inputs": ["flatten"], "in_hw": [], "out_hw": [], "kernel": [], "stride": [], "padding": [], "dilation": [], "groups": 1, "bias": true, "removable_in": null, "extra": {}}], "groups": [{"name": "a", "units": 8, "producers": ["first"], "consumers": ["second"], "frozen": null, "kind": "channels"}, {"name": "b", "units": 16, "producers": ["second"], "consumers": ["classify"], "frozen": null, "kind": "channels"}], "blocks": []}, "warnings": []}',NULL,NULL,0,'2026-11-26 07:30:07.370196');
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
INSERT INTO "searches" VALUES('srch_01a216c2fe1e7373acd89b78fcd7de92','job_01a216c2fdd17f69a81475023011209d',0,'nsga2','{}',0,0,'running',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fe1e7f9888d65cbed8ae851e','job_01a216c2fdd17f69a81475023011209d',1,'random','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fe1e74eeacb338fa2b13e324','job_01a216c2fdd17f69a81475023011209d',2,'uniform','{}',0,1,'running',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fea07f5c854bd6620baaa66b','job_01a216c2fe7873ba88d0f89b5a0d2532',0,'nsga2','{}',0,0,'paused',3,1,20,0.2,7.66666666666666607454e-01,3.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fea070b5b1542809ec23b075','job_01a216c2fe7873ba88d0f89b5a0d2532',1,'random','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fea07f9ca9257c650158ff28','job_01a216c2fe7873ba88d0f89b5a0d2532',2,'uniform','{}',0,1,'paused',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fef771a0aecc70eef85a4706','job_01a216c2fed475c98f6d80276476d54c',0,'nsga2','{}',0,0,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fef7769293b6029f31407171','job_01a216c2fed475c98f6d80276476d54c',1,'random','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
INSERT INTO "searches" VALUES('srch_01a216c2fef777a6a0dc973a37023e22','job_01a216c2fed475c98f6d80276476d54c',2,'uniform','{}',0,1,'queued',0,0,20,NULL,NULL,0.0,NULL);
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
INSERT INTO "uploads" VALUES('upl_01a216c2ff0272acace7b88fc56c1207','ws_01a216c2fd697206b21761df3bea38a0','model','net.onnx','net.onnx',NULL,10,'9b569cd062350ef2205068fc6eab4dee71ba9dc7d7855ce4815fde7aee7f5787',4096,'open',NULL,'2026-11-26 07:30:07.751078','2026-11-27 07:30:07.751086');
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
INSERT INTO "webhooks" VALUES('whk_01a216c2ff5977938f9f0865bcd372b8','ws_01a216c2fd697206b21761df3bea38a0','https://93.184.216.34/hook','["job.succeeded", "job.failed", "job.cancelled"]','whsec_e/dFk3E+eNnI6xBRokYI33gVB1ZZofBr2YFzOqQeuFs=',NULL,NULL,'2026-11-26 07:30:07.834100');
CREATE TABLE workspaces (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_workspaces PRIMARY KEY (id), 
	CONSTRAINT uq_workspaces_name UNIQUE (name)
);
INSERT INTO "workspaces" VALUES('ws_01a216c2fd697206b21761df3bea38a0','first','2026-11-26 07:30:07.338203');
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
