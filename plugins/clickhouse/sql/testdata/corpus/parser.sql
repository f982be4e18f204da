USE test
---->
-- Tags: no-parallel

ALTER ROLE r1_01293
---->
ALTER ROLE r1_01293 ON CLUSTER cluster_1 RENAME TO r2_01293
---->
ALTER ROLE r1_01293 SETTINGS NONE
---->
ALTER ROLE r2_01293 SETTINGS PROFILE 'default'
---->
ALTER ROLE r3_01293 SETTINGS max_memory_usage=5000000
---->
ALTER ROLE r4_01293 SETTINGS max_memory_usage MIN=5000000
---->
ALTER ROLE r5_01293 SETTINGS max_memory_usage MAX=5000000
---->
ALTER ROLE r6_01293 SETTINGS max_memory_usage CONST
---->
ALTER ROLE r7_01293 SETTINGS max_memory_usage WRITABLE
---->
ALTER ROLE r8_01293 SETTINGS max_memory_usage=5000000 MIN 4000000 MAX 6000000 CONST
---->
ALTER ROLE r9_01293 SETTINGS PROFILE 'default', max_memory_usage=5000000 WRITABLE
---->
ALTER ROLE r1_01293, r2_01293
---->
ALTER ROLE r1_01293 SETTINGS readonly=1
---->
ALTER ROLE r3_01293 SETTINGS max_memory_usage=5000000 MIN 4000000 MAX 6000000 WRITABLE
---->
ALTER ROLE r4_01293 SETTINGS PROFILE 'default', max_memory_usage=5000000, readonly=1
---->
ALTER ROLE r5_01293 SETTINGS NONE
---->
ALTER ROLE r1_01293@'%'
---->
ALTER ROLE r2_01293@'%.myhost.com'
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD COLUMN f1 String AFTER f0
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD INDEX my_index(f0) TYPE minmax GRANULARITY 1024
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD INDEX api_id_idx api_id TYPE set(100) GRANULARITY 2
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD INDEX arr_idx arr TYPE bloom_filter(0.01) GRANULARITY 3
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD INDEX content_idx content TYPE tokenbf_v1(30720, 2, 0) GRANULARITY 1
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD INDEX output_idx output TYPE ngrambf_v1(3, 10000, 2, 1) GRANULARITY 2
---->
ALTER TABLE visits_order
ADD PROJECTION  IF NOT EXISTS user_name_projection
(SELECT * GROUP BY user_name ORDER BY user_name) AFTER a.user_id
---->
ALTER TABLE test ATTACH PARTITION '20210114'
---->
ALTER TABLE test ATTACH PARTITION '20210114' FROM test1
---->
ALTER TABLE test ATTACH PARTITION ID '20210114'
---->
ALTER TABLE db.test DETACH PARTITION '2021-10-01'
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' DROP COLUMN IF EXISTS f1
---->
ALTER TABLE app_utc_00.app_message_as_notification_organization_sent_stats_i_d_local DROP DETACHED PARTITION '2022-05-24' SETTINGS allow_drop_detached = 1
---->
ALTER TABLE test.event_local ON CLUSTER 'default_cluster' DROP INDEX f1
---->
ALTER TABLE test.events ON CLUSTER 'default_cluster' drop partition '2023-07-18'
---->
ALTER TABLE test.event_local ON CLUSTER 'default_cluster' DROP PROJECTION f1
---->
ALTER TABLE test.events ON CLUSTER 'default_cluster' freeze
---->
ALTER TABLE test.events ON CLUSTER 'default_cluster' freeze partition '2023-07-18'
---->
ALTER TABLE visits_order MATERIALIZE INDEX IF EXISTS user_name_index IN PARTITION '20240403'
---->
ALTER TABLE visits_order MATERIALIZE PROJECTION IF EXISTS user_name_projection IN PARTITION '20240403'
---->
ALTER TABLE t1 MODIFY COLUMN f1 String COMMENT 'test'
---->
ALTER TABLE t1 MODIFY COLUMN f1 REMOVE COMMENT
---->
ALTER TABLE test.events ON CLUSTER 'default_cluster' REMOVE TTL
---->
ALTER TABLE my_table RENAME COLUMN old_column_name TO new_column_name
---->
ALTER TABLE t2 REPLACE PARTITION 'partition' FROM t1
---->
ATTACH TABLE IF NOT EXISTS test.events_local ON CLUSTER 'default_cluster' (
    f0 String,
    f1 String,
    f2 String,
    f3 Datetime,
    f4 Datetime,
    f5 Map(String,String),
    f6 String,
    f7 Datetime DEFAULT now()
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{layer}-{shard}/test/events_local', '{replica}')
TTL f3 + INTERVAL 6 MONTH
PARTITION BY toYYYYMMDD(f3)
ORDER BY (f0,f1,f2)
---->
CREATE MATERIALIZED VIEW IF NOT EXISTS db.table
            ON CLUSTER 'default_cluster' TO db.table_mv
AS
SELECT
    event_ts,
    org_id,
    visitParamExtractString(properties, 'x') AS x,
    visitParamExtractString(properties, 'y') AS y,
    visitParamExtractString(properties, 'z') AS z,
    visitParamExtractString(properties, 'a') AS a,
    visitParamExtractString(properties, 'b') AS b,
    visitParamExtractString(properties, 'c') AS c,
    visitParamExtractString(properties, 'd') AS d,
    visitParamExtractInt(properties, 'e') AS e,
    visitParamExtractInt(properties, 'f') AS f
FROM db.table
WHERE db.table.event = 'hello'
---->
CHECK TABLE test_table
---->
CHECK TABLE test_table PARTITION 'col'
---->
CREATE DATABASE IF NOT EXISTS `test`
---->
create table test.event_all
ON CLUSTER 'default_cluster'
AS test.evnets_local
ENGINE = Distributed(
    default_cluster,
    test,
    events_local,
    rand()
) SETTINGS fsync_after_insert=0
---->
CREATE FUNCTION linear_equation AS (x, k, b) -> k*x + b
---->
CREATE
MATERIALIZED VIEW infra_bm.view_name 
    ON CLUSTER 'default_cluster' TO infra_bm.table_name
(
  `f1` DateTime64(3), 
  `f2` String, 
  `f3` String, 
  `f4` String, 
  `f5` String, 
  `f6` Int64
) AS
SELECT f1,
       f2,
       visitParamExtractString(properties, 'f3')   AS f3,
       visitParamExtractString(properties, 'f4')      AS f4,
       visitParamExtractString(properties, 'f5')    AS f5,
    visitParamExtractInt(properties, 'f6') AS f6
FROM
    infra_bm.table_name1
WHERE
    infra_bm.table_name1.event = 'test-event'
COMMENT 'Comment for table'
---->
CREATE MATERIALIZED VIEW fresh_mv
REFRESH EVERY 1 HOUR OFFSET 10 MINUTE APPEND TO events_export
(
    `timestamp` DateTime64(9),
    `field_1` String,
    `field_2` String,
)
DEFINER = default SQL SECURITY DEFINER
AS (SELECT
    timestamp,
    field_1,
    field_2,
FROM event_table
WHERE toStartOfHour(timestamp) = toStartOfHour(now() - toIntervalHour(1)))
COMMENT 'Test comment'
---->
CREATE MATERIALIZED VIEW test.t0 on cluster default_cluster
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/{layer}-{shard}/test/t0', '{replica}')
PARTITION BY toYYYYMM(f0)
ORDER BY (f0)
POPULATE AS
select f0,f1,f2,coalesce(f0,f1) as f333
from
    (select
         f0,f1,f2,
         ROW_NUMBER() over(partition by f0 order by coalesce(f1,f2)) as rn
     from test.t
     where f3 in ('foo', 'bar', 'test')
       and env ='test'
    ) as tmp
where rn = 1
---->
CREATE MATERIALIZED VIEW fresh_mv
REFRESH EVERY 1 HOUR OFFSET 10 MINUTE
RANDOMIZE FOR 1 SECOND
DEPENDS ON  table_v5
SETTINGS
    randomize_for = 1,
    randomize_offset = 10,
    randomize_period = 1
APPEND TO target_table_name
EMPTY
AS SELECT
    `field_1`,
    `field_2`,
    `field_3`,
FROM table_v5
---->
CREATE MATERIALIZED VIEW infra_bm.view_name
    ON CLUSTER 'default_cluster' TO infra_bm.table_name
(
  `f1` DateTime64(3),
  `f2` String,
  `f3` String,
  `f4` String,
  `f5` String,
  `f6` Int64
) AS
SELECT f1,
       f2,
       visitParamExtractString(properties, 'f3') AS f3,
       visitParamExtractString(properties, 'f4') AS f4,
       visitParamExtractString(properties, 'f5') AS f5,
       visitParamExtractInt(properties, 'f6') AS f6
FROM infra_bm.table_name1
WHERE infra_bm.table_name1.event = 'test-event' AND
    NOT isZeroOrNull(f2) AND f6-2 > 0
---->
CREATE MATERIALIZED VIEW IF NOT EXISTS test_mv
ENGINE = ReplacingMergeTree()
PRIMARY KEY (id)
ORDER BY (id)
AS
SELECT * FROM test_table
---->
CREATE MATERIALIZED VIEW IF NOT EXISTS test_mv
ENGINE = ReplacingMergeTree()
PRIMARY KEY (id)
AS
SELECT * FROM test_table
---->
-- Tags: no-parallel

CREATE ROLE r1_01293
---->
CREATE ROLE r1_01293 ON CLUSTER cluster_1
---->
CREATE ROLE r1_01293, r2_01293
---->
CREATE ROLE r1_01293 SETTINGS NONE
---->
CREATE ROLE r2_01293 SETTINGS PROFILE 'default'
---->
CREATE ROLE r3_01293 SETTINGS max_memory_usage=5000000
---->
CREATE ROLE r4_01293 SETTINGS max_memory_usage MIN=5000000
---->
CREATE ROLE r5_01293 SETTINGS max_memory_usage MAX=5000000
---->
CREATE ROLE r6_01293 SETTINGS max_memory_usage CONST
---->
CREATE ROLE r7_01293 SETTINGS max_memory_usage WRITABLE
---->
CREATE ROLE r8_01293 SETTINGS max_memory_usage=5000000 MIN 4000000 MAX 6000000 CONST
---->
CREATE ROLE r9_01293 SETTINGS PROFILE 'default', max_memory_usage=5000000 WRITABLE
---->
CREATE ROLE r1_01293 SETTINGS readonly=1
---->
CREATE ROLE r3_01293 SETTINGS max_memory_usage=5000000 MIN 4000000 MAX 6000000 WRITABLE
---->
CREATE ROLE r4_01293 SETTINGS PROFILE 'default', max_memory_usage=5000000, readonly=1
---->
CREATE ROLE r5_01293 SETTINGS NONE
---->
CREATE ROLE r1_01293@'%'
---->
CREATE ROLE r2_01293@'%.myhost.com'
---->
-- It's a short link events table
/**
    * @name Short link events
    * @description It's a short link events table
 */
CREATE TABLE IF NOT EXISTS test.events_local (
    f0 String,
    f1 String CODEC(ZSTD(1)),
    f2 VARCHAR(255),
    f3 Datetime,
    f4 Datetime,
    f5 Map(String,String),
    f6 String,
    f7 Nested (
        f70 UInt32,
        f71 UInt32,
        f72 DateTime,
        f73 Int64,
        f74 Int64,
        f75 String
    ),
    f8 Datetime DEFAULT now(),
    f9 String MATERIALIZED toString(f7['f70']),
    f10 String ALIAS f11,
    f12 JSON(max_dynamic_types=10, max_dynamic_paths=3, SKIP a, SKIP a.b.c, SKIP REGEXP 'hello'),
) ENGINE = MergeTree
PRIMARY KEY (f0, f1, f2)
PARTITION BY toYYYYMMDD(f3)
TTL f3 + INTERVAL 6 MONTH
ORDER BY (f1,f2,f3)
COMMENT 'Comment for table'
---->
CREATE TABLE IF NOT EXISTS test_local
(
 `id` UInt64 CODEC(Delta, ZSTD(1)),
 `api_id` UInt64 CODEC(ZSTD(1)),
 `app_id` UInt64 CODEC(Delta(9), ZSTD(1)),
 `device_id` UInt64 CODEC(DoubleDelta, ZSTD(1)),
 `guage` Float64 CODEC(Gorilla, LZ4),
 `value` UInt64 CODEC(T64, LZ4),
 `timestamp` DateTime64(9) CODEC(ZSTD(1)),
 INDEX timestamp_index(timestamp) TYPE minmax GRANULARITY 4
)
ENGINE = ReplicatedMergeTree('/root/test_local', '{replica}')
PARTITION BY toStartOfHour(`timestamp`)
ORDER BY (toUnixTimestamp64Nano(`timestamp`), `api_id`)
TTL toStartOfHour(`timestamp`) + INTERVAL 7 DAY,toStartOfHour(`timestamp`) + INTERVAL 2 DAY
SETTINGS execute_merges_on_single_replica_time_threshold=1200, index_granularity=16384, max_bytes_to_merge_at_max_space_in_pool=64424509440, storage_policy='main', ttl_only_drop_parts=1
---->
CREATE TABLE t0 on cluster default_cluster
(
    `method` Enum8('GET'=1 , 'POST'=2, 'HEAD'=3, 'PUT'=4,'PATCH'=5, 'DELETE'=6, 'CONNECT'=7, 'OPTIONS'=8, 'TRACE'=9) CODEC(ZSTD(1)),
    `timestamp` DateTime64(3) CODEC(DoubleDelta, ZSTD)
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{layer}-{shard}', '{replica}')
PARTITION BY toDate(timestamp)
ORDER BY (method,timestamp)
TTL toDate(timestamp) + toIntervalDay(3)
SETTINGS index_granularity = 8192
---->
CREATE TABLE IF NOT EXISTS test_local
(
 `id` UInt64 CODEC(Delta, ZSTD(1)),
 `api_id` UInt64 CODEC(ZSTD(1)),
 `arr` Array(Int64),
 `content` String CODEC(ZSTD(1)),
 `output` String,
 INDEX id_idx id TYPE minmax GRANULARITY 10,
 INDEX api_id_idx api_id TYPE set(100) GRANULARITY 2,
 INDEX arr_idx arr TYPE bloom_filter(0.01) GRANULARITY 3,
 INDEX content_idx content TYPE tokenbf_v1(30720, 2, 0) GRANULARITY 1,
 INDEX output_idx output TYPE ngrambf_v1(3, 10000, 2, 1) GRANULARITY 2
)
ENGINE = ReplicatedMergeTree('/root/test_local', '{replica}')
PARTITION BY toStartOfHour(`timestamp`)
ORDER BY (toUnixTimestamp64Nano(`timestamp`), `api_id`)
TTL toStartOfHour(`timestamp`) + INTERVAL 7 DAY,toStartOfHour(`timestamp`) + INTERVAL 2 DAY
SETTINGS execute_merges_on_single_replica_time_threshold=1200, index_granularity=16384, max_bytes_to_merge_at_max_space_in_pool=64424509440, storage_policy='main', ttl_only_drop_parts=1
---->
CREATE TABLE test.events_local UUID 'dad17568-b070-49d0-9ad1-7568b07029d0' (
    `date` Date,
    `f1` String,
    `f2` String,
    `f3` UInt64
    ) ENGINE = ReplacingMergeTree
    PARTITION BY date
    ORDER BY (f1, f2)
    SETTINGS index_granularity = 8192
---->
CREATE TABLE logs.t0 on cluster default
(
    `trace_id` String CODEC(ZSTD(1)),
    INDEX trace_id_bloom_idx trace_id TYPE bloom_filter(0.01) GRANULARITY 64
) ENGINE = Null()
---->
CREATE TABLE test.`.inner.752391fb-44cc-4dd5-b523-91fb44cc9dd5`
    UUID '27673372-7973-44f5-a767-33727973c4f5' (
    `f0` String,
    `f1` String,
    `f2` LowCardinality(String),
    `f3` LowCardinality(String),
    `f4` DateTime64(3),
    `f5` Nullable(DateTime64(3)),
    `succeed_at` Nullable(DateTime64(3))
) ENGINE = MergeTree
PARTITION BY xxHash32(tag_id) % 20
ORDER BY label_id
SETTINGS index_granularity = 8192
---->
CREATE TABLE IF NOT EXISTS test.events_local ON CLUSTER 'default_cluster' (
    f0 String,
    f1 String,
    f2 String,
    f3 Datetime,
    f4 Datetime,
    f5 Map(String,String),
    f6 String,
    f7 Datetime DEFAULT now()
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{layer}-{shard}/test/events_local', '{replica}')
TTL f3 + INTERVAL 6 MONTH
PARTITION BY toYYYYMMDD(f3)
ORDER BY (f0,f1,f2)
---->
CREATE TABLE default.test UUID '87887901-e33c-497e-8788-7901e33c997e'
(
    `f0` DateTime,
    `f1` UInt32,
    `f3` UInt32
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{layer}/{shard}/default/test', '{replica}')
PARTITION BY toYYYYMM(timestamp)
ORDER BY (contractid, toDate(timestamp), userid)
SAMPLE BY userid
SETTINGS index_granularity = 8192
---->
CREATE TABLE tab
(
    d DateTime,
    a Int
)
    ENGINE = MergeTree
PARTITION BY toYYYYMM(d)
ORDER BY d
TTL d + INTERVAL 1 MONTH DELETE,
    d + INTERVAL 1 WEEK TO VOLUME 'aaa',
    d + INTERVAL 2 WEEK TO DISK 'bbb'
---->
CREATE TABLE table_with_where
(
    d DateTime,
    a Int
)
    ENGINE = MergeTree
PARTITION BY toYYYYMM(d)
ORDER BY d
TTL d + INTERVAL 1 MONTH DELETE WHERE toDayOfWeek(d) = 1
---->
CREATE TABLE table_for_recompression
(
    d DateTime,
    key UInt64,
    value String
) ENGINE MergeTree()
ORDER BY tuple()
PARTITION BY key
TTL d + INTERVAL 1 MONTH RECOMPRESS CODEC(ZSTD(17)), d + INTERVAL 1 YEAR RECOMPRESS CODEC(LZ4HC(10))
SETTINGS min_rows_for_wide_part = 0, min_bytes_for_wide_part = 0
---->
CREATE VIEW IF NOT EXISTS my_view(col1 String, col2 String)
AS
SELECT
    id,
    name
FROM
    my_table
---->
CREATE VIEW IF NOT EXISTS cluster_name.my_view
        UUID '3493e374-e2bb-481b-b493-e374e2bb981b'
        ON CLUSTER 'my_cluster'
AS (
    SELECT
    column1,
    column2
    FROM
    my_other_table
)
---->
DROP DATABASE IF EXISTS datbase_name
---->
DROP ROLE IF EXISTS r1_01293, r2_01293, r3_01293, r4_01293, r5_01293, r6_01293, r7_01293, r8_01293, r9_01293
---->
DROP ROLE IF EXISTS r2_01293_renamed
---->
DROP ROLE IF EXISTS r1_01293@'%', 'r2_01293@%.myhost.com'
---->
DROP TABLE IF EXISTS test.table_name
---->
DROP TABLE IF EXISTS test.table_name ON CLUSTER 'default_cluster' NO DELAY
---->
DROP TABLE IF EXISTS test.table_name ON CLUSTER 'default_cluster'
---->
GRANT SELECT(x,y) ON db.table TO john
---->
GRANT ALL ON *.* TO admin_role WITH GRANT OPTION
---->
GRANT SELECT,INSERT ON database.table_1 TO table_1_select_role
---->
GRANT SELECT(x, y, z),INSERT ON database.table_1 TO table_1_select_role
---->
GRANT SELECT, dictGet ON *.*  TO select_all_role
---->
OPTIMIZE TABLE table DEDUPLICATE
---->
-- all columns
OPTIMIZE TABLE table DEDUPLICATE BY *
---->
-- excludes MATERIALIZED and ALIAS columns
OPTIMIZE TABLE table DEDUPLICATE BY colX,colY,colZ
---->
OPTIMIZE TABLE table DEDUPLICATE BY * EXCEPT colX
---->
OPTIMIZE TABLE table DEDUPLICATE BY * EXCEPT (colX, colY)
---->
OPTIMIZE TABLE table DEDUPLICATE BY COLUMNS('column-matched-by-regex')
---->
OPTIMIZE TABLE table DEDUPLICATE BY COLUMNS('column-matched-by-regex') EXCEPT colX
---->
OPTIMIZE TABLE table DEDUPLICATE BY COLUMNS('column-matched-by-regex') EXCEPT (colX, colY)
---->
-- rename table
RENAME TABLE t1 TO t11
---->
RENAME TABLE t1 TO t11 ON CLUSTER 'default_cluster'
---->
RENAME TABLE t1 TO t11, t2 TO t22
---->
RENAME TABLE t1 TO t11, t2 TO t22 ON CLUSTER 'default_cluster'
---->
-- rename dictionary   
RENAME DICTIONARY t1 TO t11
---->
RENAME DICTIONARY t1 TO t11 ON CLUSTER 'default_cluster'
---->
RENAME DICTIONARY t1 TO t11, t2 TO t22
---->
RENAME DICTIONARY t1 TO t11, t2 TO t22 ON CLUSTER 'default_cluster'
---->
-- rename database
RENAME DATABASE t1 TO t11
---->
RENAME DATABASE t1 TO t11 ON CLUSTER 'default_cluster'
---->
SYSTEM FLUSH LOGS
---->
SYSTEM DROP UNCOMPRESSED CACHE
---->
SYSTEM DROP FILESYSTEM CACHE
---->
TRUNCATE TABLE IF EXISTS test.table_name
---->
TRUNCATE TEMPORARY TABLE IF EXISTS test.table_name ON CLUSTER 'default_cluster'
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD COLUMN a.f1 String default '' comment 'test'
---->
ALTER TABLE test.events_local ON CLUSTER 'default_cluster' ADD COLUMN hello String default ''
---->
ALTER TABLE infra.flow_processed_emails_local ON CLUSTER default_cluster REMOVE TTL
---->
ALTER TABLE infra.flow_processed_emails_local ON CLUSTER default_cluster MODIFY TTL created_at + INTERVAL 3 YEAR
---->
CREATE TABLE example1 (
    timestamp DateTime,
    x UInt32 TTL timestamp + INTERVAL 1 MONTH,
    y UInt32 TTL timestamp + INTERVAL 1 WEEK
)
ENGINE = MergeTree
ORDER BY tuple()
---->
DELETE FROM hits WHERE Title LIKE '%hello%'
---->
INSERT INTO helloworld.my_first_table (user_id, message, timestamp, metric) VALUES
    (101, 'Hello, ClickHouse!',                                 now(),       -1.0    ),
    (102, 'Insert a lot of rows per batch',                     yesterday(), 1.41421 ),
    (102, 'Sort your data based on your commonly-used queries', today(),     2.718   ),
    (101, 'Granules are the smallest chunks of data read',      now() + 5,   3.14159 )
---->
INSERT INTO "db"."table_name" (col1, col2) VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) VALUES (1, 2) FORMAT Native
---->
INSERT INTO t0(user_id, message, timestamp, metric) VALUES
    (?, ?, ?, ?),
    (?, ?, ?, ?),
    (?, ?, ?, ?),
    (?, ?, ?, ?)
---->
INSERT INTO test_with_typed_columns (id, created_at)
VALUES ({id: Int32}, {created_at: DateTime64(6)})
---->
INSERT INTO test.visits_null
SELECT
    CounterID,
    StartDate,
    Sign,
    UserID
FROM test.visits
---->
SELECT tuple('a','b','c').3, .1234
---->
SELECT toTypeName( tuple('a' as first,'b' as second ,'c' as third)::Tuple(first String,second String,third String)),
       (tuple('a' as first,'b' as second ,'c' as third)::Tuple(first String,second String,third String)).second,
       tuple('a','b','c').3,
       tupleElement(tuple('a','b','c'),1)
---->
SELECT date, path, splitByChar('/', path)[2] AS path_b
FROM(
    SELECT 'pathA/pathB/pathC' AS path, '2024-09-10' AS date
    )
WHERE toDate(date) BETWEEN '2024-09-01' AND '2024-09-30'
  AND splitByChar('/', path)[1] = 'pathA'
---->
select cast(1 as Float64) as value
---->
select cast(1, 'Float64') as value
---->
select (1 as Float64) as value
---->
select 1::Float64 as value
---->
SELECT 'abc' as "value2"
---->
SELECT $abc, a$$bc, abc$$
---->
SELECT 1+1
---->
SELECT * REPLACE(i + 1 AS i) FROM t1
---->
SELECT * REPLACE(i + 1 AS i) EXCEPT (j) APPLY(sum) from t2
---->
SELECT Timestamp FROM events ORDER BY Timestamp
---->
SELECT
    f0, coalesce(f1, f2) AS f3, row_number()
OVER (PARTITION BY f0 ORDER BY f1 ASC) AS rn
FROM test.events_local
WHERE (f0 IN ('foo', 'bar', 'test')) AND (f1 = 'testing') AND (f2 NOT LIKE 'testing2')
AND f3 NOT IN ('a', 'b', 'c')


GROUP BY f0,   f1

Limit 100, 10 By f0
---->
SELECT field0, field1 as x, field2 y from events
---->
SELECT arrayConcat([1, 2], [3, 4], [5, 6]) AS res, f1["abc"] as f2
---->
WITH
    test(f1, f2, f3) AS (SELECT f4, f5, f6 FROM sales)
SELECT
    f1 AS new_f1,
    f2 AS new_f2,
    f3 AS new_f3
FROM
    test
---->
SELECT f0,f1,f2,f3 as a0
FROM test.events_local
WHERE (f0 IN ('foo', 'bar', 'test'))
  AND (f1 = 'testing')
  AND f2 IS NULL
  AND f3 IS NOT NULL
---->
SELECT f0,f1,f2,f3 as a0
FROM test.events_local
WHERE (f0 IN ('foo', 'bar', 'test')) AND (f1 = 'testing') AND f2 IS NULL
---->
SELECT TOP 10 my_column FROM tableName
---->
WITH
    cte1 AS (SELECT f1 FROM t1),
    cte2 AS (SELECT f2 FROM t2)
SELECT
    cte1.f1,
    cte2.f2,
    t3.f3
FROM
    t3,cte1,cte2
---->
SELECT t1.Timestamp FROM my_table t1 INNER JOIN my_other_table t2 ON t1.a=t2.b
---->
SELECT 1, (SELECT 70) AS `power`, number
FROM
numbers(
    plus(
        ifNull((SELECT 1 AS bin_count, 1),
        1)
    )
)
---->
select case when false then 'hello' else 'world' end
---->
SELECT count(DISTINCT(RECORD_ID)) FROM RECORD_TABLE
---->
SELECT DISTINCT record_id FROM records
---->
SELECT
    datacenter,
    distro,
    SUM (quantity) AS qty
FROM
    servers
GROUP BY
    GROUPING SETS(
    (datacenter,distro),
    (datacenter),
    (distro),
    ()
)
---->
SELECT
    datacenter,
    distro,
    SUM (quantity) AS qty
FROM
    servers
GROUP BY ALL
---->
SELECT * FROM "t1" JOIN "t2" ON true
---->
SELECT
    toStartOfInterval(timestamp, toIntervalMinute(1)) AS interval,
    column_name
FROM table
WHERE true
GROUP BY (interval, column_name)
ORDER BY (interval AS i, column_name) ASC
---->
WITH
    t1 AS
        (
            SELECT 1 AS value
    ),
    t2 AS
       (
SELECT 2 AS value
    )
SELECT *
FROM t1
         LEFT JOIN t2 ON true
---->
select table_name from "information_schema"."tables" limit 1
---->
select
    -- first line
    -- second line
    *
from
    t0
---->
SELECT 1 AS v1 UNION ALL SELECT 2 AS v2 UNION ALL SELECT 3 AS v3
---->
SELECT foo, bar.1, foo.2 FROM foo ARRAY JOIN m as bar
---->
SET param_a = 13
---->
SET param_b = 'str'
---->
SET param_c = '2022-08-04 18:30:53'
---->
SET param_d = {'10': [11, 12], '13': [14, 15]}
---->
SELECT
    {a: UInt32},
    {b: String},
    {c: DateTime},
    {d: Map(String, Array(UInt8))}
---->
SELECT * FROM clickhouse WHERE tenant_id = {tenant_id: String}
---->
WITH "abc" AS (SELECT 1 AS a) SELECT * FROM "abc"
---->
SELECT replica_name FROM system.ha_replicas UNION DISTINCT SELECT replica_name FROM system.ha_unique_replicas format JSON
---->
WITH $abc AS (SELECT 1 AS a) SELECT * FROM $abc
---->
SELECT aggregation_target AS aggregation_target,
    timestamp AS timestamp,
    step_0 AS step_0,
    latest_0 AS latest_0,
    step_1 AS step_1,
    latest_1 AS latest_1,
    step_2 AS step_2,
    min(latest_2) OVER (PARTITION BY aggregation_target
    ORDER BY timestamp DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 0 PRECEDING) AS latest_2
FROM t0
---->
SET max_threads = 1, max_insert_threads = 0, max_block_size = 8192, min_insert_block_size_rows = 8192, min_insert_block_size_bytes = 1048576
---->
