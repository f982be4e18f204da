CREATE DATABASE test
---->
CREATE TABLE test.visits
 (
    StartDate DateTime64 NOT NULL,
    CounterID UInt64,
    Sign Nullable(Int32),
    UserID Nullable(Int32)
) ENGINE = MergeTree ORDER BY (StartDate, CounterID)
---->
CREATE TABLE test.agg_visits (
    StartDate DateTime64 NOT NULL,
    CounterID UInt64,
    Visits AggregateFunction(sum, Nullable(Int32)),
    Users AggregateFunction(uniq, Nullable(Int32))
)
ENGINE = AggregatingMergeTree() ORDER BY (StartDate, CounterID)
---->
CREATE MATERIALIZED VIEW test.visits_mv TO test.agg_visits
AS SELECT
    StartDate,
    CounterID,
    sumState(Sign) AS Visits,
    uniqState(UserID) AS Users
FROM test.visits
GROUP BY StartDate, CounterID
---->
INSERT INTO test.visits (StartDate, CounterID, Sign, UserID)
VALUES (1667446031000, 1, 3, 4), (1667446031000, 1, 6, 3)
---->
SELECT
    StartDate,
    sumMerge(Visits) AS Visits,
    uniqMerge(Users) AS Users
FROM test.visits_mv
GROUP BY StartDate
ORDER BY StartDate
---->
INSERT INTO test.visits (StartDate, CounterID, Sign, UserID)
VALUES (1669446031000, 2, 5, 10), (1667446031000, 3, 7, 5)
---->
CREATE MATERIALIZED VIEW test.visits_mv TO test.agg_visits
AS SELECT
    StartDate,
    CounterID,
    initializeAggregation('sumState', Sign) AS Visits,
    initializeAggregation('uniqState', UserID) AS Users
FROM test.visits
---->
CREATE TABLE agg_tuples
(
    key UInt32,
    metrics Tuple(
        total_visits SimpleAggregateFunction(sum, UInt64),
        unique_users SimpleAggregateFunction(max, UInt64)
    )
) ENGINE = AggregatingMergeTree()
ORDER BY key
SETTINGS allow_tuple_element_aggregation = 1
---->
INSERT INTO agg_tuples VALUES (1, (100, 5))
---->
INSERT INTO agg_tuples VALUES (1, (200, 8))
---->
INSERT INTO agg_tuples VALUES (2, (50, 3))
---->
OPTIMIZE TABLE agg_tuples FINAL
---->
SELECT key, metrics.total_visits, metrics.unique_users FROM agg_tuples ORDER BY key
---->
-- Create source table
CREATE TABLE source_data (
    id UInt32,
    name String,
    value Float64
) ENGINE = MergeTree
ORDER BY id
---->
-- Insert some data
INSERT INTO source_data VALUES (1, 'one', 10.1), (2, 'two', 20.2)
---->
-- Create alias
CREATE TABLE data_alias ENGINE = Alias('source_data')
---->
-- Query through alias
SELECT * FROM data_alias
---->
-- Create databases
CREATE DATABASE db1
---->
CREATE DATABASE db2
---->
-- Create source table in db1
CREATE TABLE db1.events (
    timestamp DateTime,
    event_type String,
    user_id UInt32
) ENGINE = MergeTree
ORDER BY timestamp
---->
-- Create alias in db2 pointing to db1.events
CREATE TABLE db2.events_alias ENGINE = Alias('db1', 'events')
---->
-- Or using database.table format
CREATE TABLE db2.events_alias2 ENGINE = Alias('db1.events')
---->
-- Both aliases work identically
INSERT INTO db2.events_alias VALUES (now(), 'click', 100)
---->
SELECT * FROM db2.events_alias2
---->
CREATE TABLE metrics (
    ts DateTime,
    metric_name String,
    value Float64
) ENGINE = MergeTree
ORDER BY ts
---->
CREATE TABLE metrics_alias ENGINE = Alias('metrics')
---->
-- Insert through alias
INSERT INTO metrics_alias VALUES
    (now(), 'cpu_usage', 45.2),
    (now(), 'memory_usage', 78.5)
---->
-- Insert with SELECT
INSERT INTO metrics_alias
SELECT now(), 'disk_usage', number * 10
FROM system.numbers
LIMIT 5
---->
-- Verify data is in the target table
SELECT count() FROM metrics
---->
-- Returns 7
SELECT count() FROM metrics_alias
---->
CREATE TABLE users (
    id UInt32,
    name String
) ENGINE = MergeTree
ORDER BY id
---->
CREATE TABLE users_alias ENGINE = Alias('users')
---->
-- Add column through alias
ALTER TABLE users_alias ADD COLUMN email String DEFAULT ''
---->
-- Column is added to target table
DESCRIBE users
---->
CREATE TABLE products (
    id UInt32,
    name String,
    price Float64,
    status String DEFAULT 'active'
) ENGINE = MergeTree
ORDER BY id
---->
CREATE TABLE products_alias ENGINE = Alias('products')
---->
INSERT INTO products_alias VALUES
    (1, 'item_one', 100.0, 'active'),
    (2, 'item_two', 200.0, 'active'),
    (3, 'item_three', 300.0, 'inactive')
---->
-- Update through alias
ALTER TABLE products_alias UPDATE price = price * 1.1 WHERE status = 'active'
---->
-- Delete through alias
ALTER TABLE products_alias DELETE WHERE status = 'inactive'
---->
-- Changes are applied to target table
SELECT * FROM products ORDER BY id
---->
CREATE TABLE logs (
    date Date,
    level String,
    message String
) ENGINE = MergeTree
PARTITION BY toYYYYMM(date)
ORDER BY date
---->
CREATE TABLE logs_alias ENGINE = Alias('logs')
---->
INSERT INTO logs_alias VALUES
    ('2024-01-15', 'INFO', 'message1'),
    ('2024-02-15', 'ERROR', 'message2'),
    ('2024-03-15', 'INFO', 'message3')
---->
-- Detach partition through alias
ALTER TABLE logs_alias DETACH PARTITION '202402'
---->
SELECT count() FROM logs_alias
---->
-- Returns 2 (partition 202402 detached)

-- Attach partition back
ALTER TABLE logs_alias ATTACH PARTITION '202402'
---->
CREATE TABLE events (
    id UInt32,
    data String
) ENGINE = MergeTree
ORDER BY id
---->
CREATE TABLE events_alias ENGINE = Alias('events')
---->
-- Multiple inserts create multiple parts
INSERT INTO events_alias VALUES (1, 'data1')
---->
INSERT INTO events_alias VALUES (2, 'data2')
---->
INSERT INTO events_alias VALUES (3, 'data3')
---->
-- Check parts count
SELECT count() FROM system.parts
WHERE database = currentDatabase()
AND table = 'events'
AND active
---->
-- Optimize through alias
OPTIMIZE TABLE events_alias FINAL
---->
-- Parts are merged in target table
SELECT count() FROM system.parts
WHERE database = currentDatabase()
AND table = 'events'
AND active
---->
CREATE TABLE important_data (
    id UInt32,
    value String
) ENGINE = MergeTree
ORDER BY id
---->
INSERT INTO important_data VALUES (1, 'critical'), (2, 'important')
---->
CREATE TABLE old_alias ENGINE = Alias('important_data')
---->
-- Rename alias (target table unchanged)
RENAME TABLE old_alias TO new_alias
---->
-- Create another alias to same table
CREATE TABLE another_alias ENGINE = Alias('important_data')
---->
-- Drop one alias (target table and other aliases unchanged)
DROP TABLE new_alias
---->
SELECT * FROM another_alias
---->
-- Still works
SELECT count() FROM important_data
---->
array(T)
---->
[]
---->
SELECT array(1, 2) AS x, toTypeName(x)
---->
SELECT [1, 2] AS x, toTypeName(x)
---->
SELECT array(1, 2, NULL) AS x, toTypeName(x)
---->
SELECT array(1, 'a')
---->
CREATE TABLE t_arr (`arr` Array(Array(Array(UInt32)))) ENGINE = MergeTree ORDER BY tuple()
---->
INSERT INTO t_arr VALUES ([[[12, 13, 0, 1],[12]]])
---->
SELECT arr.size0, arr.size1, arr.size2 FROM t_arr
---->
CREATE TABLE t_arr (arr Array(Tuple(field1 UInt32, field2 String))) ENGINE = MergeTree ORDER BY tuple()
---->
INSERT INTO t_arr VALUES ([(1, 'Hello'), (2, 'World')]), ([(3, 'This'), (4, 'is'), (5, 'subcolumn')])
---->
SELECT arr.field1, toTypeName(arr.field1), arr.field2, toTypeName(arr.field2) from t_arr
---->
SELECT
    table,
    formatReadableSize(sum(data_compressed_bytes)) AS compressed_size,
    formatReadableSize(sum(data_uncompressed_bytes)) AS uncompressed_size,
    sum(data_compressed_bytes) / sum(data_uncompressed_bytes) AS compression_ratio
FROM system.columns
WHERE (database = 'forex') AND (table = 'forex')
GROUP BY table
ORDER BY table ASC
---->
RENAME TABLE new_table TO tmp, old_table TO new_table, tmp TO old_table
---->
EXCHANGE TABLES new_table AND old_table
---->
CREATE TABLE db (n UInt64) ENGINE = Atomic SETTINGS disk=disk(type='local', path='/var/lib/clickhouse-disks/db_disk')
---->
DESCRIBE url('https://clickhouse-public-datasets.s3.eu-central-1.amazonaws.com/hits.avro', 'Avro')
---->
CREATE TABLE topic1_stream
(
    field1 String,
    field2 String
)
ENGINE = Kafka()
SETTINGS
kafka_broker_list = 'kafka-broker',
kafka_topic_list = 'topic1',
kafka_group_name = 'group1',
kafka_format = 'AvroConfluent',
format_avro_schema_registry_url = 'http://schema-registry-url'
---->
SELECT * FROM topic1_stream
---->
CREATE TABLE topic1_sink
(
    field1 String,
    field2 String
)
ENGINE = Kafka()
SETTINGS
kafka_broker_list = 'kafka-broker',
kafka_topic_list = 'topic1',
kafka_format = 'AvroConfluent',
format_avro_schema_registry_url = 'http://schema-registry-url',
output_format_avro_confluent_subject = 'topic1-value'
---->
INSERT INTO topic1_sink VALUES ('hello', 'world')
---->
CREATE TABLE topic1_stream
(
    field1 String,
    field2 String
)
ENGINE = Kafka()
SETTINGS
kafka_broker_list = 'kafka-broker',
kafka_topic_list = 'topic1',
kafka_group_name = 'group1',
kafka_format = 'AvroConfluent',
format_avro_schema_registry_url = 'https://<username>:<password>@schema-registry-url'
---->
SELECT * FROM clusterAllReplicas('default',system.kafka_consumers)
ORDER BY assignments.partition_id ASC
---->
CREATE TABLE test_table (key UInt64, data String)
    ENGINE = AzureBlobStorage('DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://azurite1:10000/devstoreaccount1/;', 'testcontainer', 'test_table', 'CSV')
---->
INSERT INTO test_table VALUES (1, 'a'), (2, 'b'), (3, 'c')
---->
SELECT * FROM test_table
---->
SELECT *
FROM azureBlobStorage('DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://azurite1:10000/devstoreaccount1/;', 'testcontainer', 'test_table', 'CSV')
SETTINGS filesystem_cache_name = 'cache_for_azure', enable_filesystem_cache = 1
---->
create table azure_table (year UInt16, country String, counter UInt8) ENGINE=AzureBlobStorage(account_name='devstoreaccount1', account_key='Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==', storage_account_url = 'http://localhost:30000/devstoreaccount1', container='cont', blob_path='hive_partitioned', format='Parquet', compression='auto', partition_strategy='hive') PARTITION BY (year, country)
---->
insert into azure_table values (2020, 'Russia', 1), (2021, 'Brazil', 2)
---->
select _path, * from azure_table
---->
CREATE TABLE azure_queue_engine_table
(
    `key` UInt64,
    `data` String
)
ENGINE = AzureQueue('DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://azurite1:10000/devstoreaccount1/;', 'testcontainer', '*', 'CSV')
SETTINGS mode = 'unordered'
---->
CREATE TABLE azure_queue_engine_table
(
    `key` UInt64,
    `data` String
)
ENGINE = AzureQueue('DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://azurite1:10000/devstoreaccount1/;', 'testcontainer', '*', 'CSV')
SETTINGS
    mode = 'unordered',
    after_processing = 'move',
    after_processing_move_connection_string = 'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://azurite1:10000/devstoreaccount1/;',
    after_processing_move_container = 'dst-container'
---->
CREATE TABLE azure_queue_engine_table (key UInt64, data String)
ENGINE=AzureQueue('DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://azurite1:10000/devstoreaccount1/;', 'testcontainer', '*', 'CSV')
SETTINGS
      mode = 'unordered'
---->
CREATE TABLE stats (key UInt64, data String)
ENGINE = MergeTree() ORDER BY key
---->
CREATE MATERIALIZED VIEW consumer TO stats
AS SELECT key, data FROM azure_queue_engine_table
---->
SELECT * FROM stats ORDER BY key
---->
CREATE TABLE system.azure_queue_log
(
    `hostname` LowCardinality(String) COMMENT 'Hostname',
    `event_date` Date COMMENT 'Event date of writing this log row',
    `event_time` DateTime COMMENT 'Event time of writing this log row',
    `database` String COMMENT 'The name of a database where current S3Queue table lives.',
    `table` String COMMENT 'The name of S3Queue table.',
    `uuid` String COMMENT 'The UUID of S3Queue table',
    `file_name` String COMMENT 'File name of the processing file',
    `rows_processed` UInt64 COMMENT 'Number of processed rows',
    `status` Enum8('Processed' = 0, 'Failed' = 1) COMMENT 'Status of the processing file',
    `processing_start_time` Nullable(DateTime) COMMENT 'Time of the start of processing the file',
    `processing_end_time` Nullable(DateTime) COMMENT 'Time of the end of processing the file',
    `exception` String COMMENT 'Exception message if happened'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(event_date)
ORDER BY (event_date, event_time)
COMMENT 'Contains logging entries with the information files processes by S3Queue engine.'
---->
BFloat16
---->
INSERT INTO football FROM INFILE 'football.bson' FORMAT BSONEachRow
---->
SELECT *
FROM football INTO OUTFILE 'docs_data/bson/football.bson'
FORMAT BSONEachRow
---->
CREATE DATABASE backup_database
ENGINE = Backup('database_name_inside_backup', Disk('disk_name', 'backup_name'))
---->
CREATE DATABASE test_database
---->
CREATE TABLE test_database.test_table_1 (id UInt64, value String) ENGINE=MergeTree ORDER BY id
---->
INSERT INTO test_database.test_table_1 VALUES (0, 'test_database.test_table_1')
---->
CREATE TABLE test_database.test_table_2 (id UInt64, value String) ENGINE=MergeTree ORDER BY id
---->
INSERT INTO test_database.test_table_2 VALUES (0, 'test_database.test_table_2')
---->
CREATE TABLE test_database.test_table_3 (id UInt64, value String) ENGINE=MergeTree ORDER BY id
---->
INSERT INTO test_database.test_table_3 VALUES (0, 'test_database.test_table_3')
---->
BACKUP DATABASE test_database TO Disk('backups', 'test_database_backup')
---->
CREATE DATABASE test_database_backup ENGINE = Backup('test_database', Disk('backups', 'test_database_backup'))
---->
SELECT id, value FROM test_database_backup.test_table_1
---->
SELECT database, name FROM system.tables WHERE database = 'test_database_backup'
---->
SELECT true AS col, toTypeName(col)
---->
CREATE TABLE test_bool
(
    `A` Int64,
    `B` Bool
)
ENGINE = Memory
---->
INSERT INTO test_bool VALUES (1, true),(2,0)
---->
SELECT * FROM test_bool
---->
Bool
---->
CREATE TABLE merge.hits_buffer AS merge.hits ENGINE = Buffer(merge, hits, 1, 10, 100, 10000, 1000000, 10000000, 100000000)
---->
SELECT
    number AS num,
    number * number AS num_square
FROM numbers(10)
INTO OUTFILE 'squares.buffers'
FORMAT Buffers
---->
SELECT
    *
FROM file(
    'squares.buffers',
    'Buffers',
    'col_1 UInt64, col_2 UInt64'
)
---->
CREATE TABLE number_squares
(
    a UInt64,
    b UInt64
) ENGINE = Memory
---->
INSERT INTO number_squares
FROM INFILE 'squares.buffers'
FORMAT Buffers
---->
SELECT * FROM number_squares
---->
CAST(x, T)
or CAST(x AS T)
or x::T
---->
SELECT CAST(42, 'String')
---->
SELECT CAST('2025-01-01' AS Date)
---->
SELECT '123'::UInt32
---->
CRC32(s)
---->
SELECT CRC32('ClickHouse')
---->
CRC32IEEE(s)
---->
SELECT CRC32IEEE('ClickHouse')
---->
CRC64(s)
---->
SELECT CRC64('ClickHouse')
---->
CREATE TABLE football
(
    `date` Date,
    `season` Int16,
    `home_team` LowCardinality(String),
    `away_team` LowCardinality(String),
    `home_team_goals` Int8,
    `away_team_goals` Int8
)
ENGINE = MergeTree
ORDER BY (date, home_team)
---->
INSERT INTO football FROM INFILE 'football.csv' FORMAT CSVWithNames
---->
SELECT *
FROM football
FORMAT CSVWithNames
---->
INSERT INTO football FROM INFILE 'football_types.csv' FORMAT CSVWithNamesAndTypes
---->
SELECT *
FROM football
FORMAT CSVWithNamesAndTypes
---->
CREATE TABLE test_table
(
    key UInt64,
    value_int Nullable(UInt32),
    value_string Nullable(String),
    value_date Nullable(Date)
)
ENGINE = CoalescingMergeTree()
ORDER BY key
---->
INSERT INTO test_table VALUES(1, NULL, NULL, '2025-01-01'), (2, 10, 'test', NULL)
---->
INSERT INTO test_table VALUES(1, 42, 'win', '2025-02-01')
---->
INSERT INTO test_table(key, value_date) VALUES(2, '2025-02-01')
---->
SELECT * FROM test_table ORDER BY key
---->
SELECT * FROM test_table FINAL ORDER BY key
---->
SELECT key, last_value(value_int), last_value(value_string), last_value(value_date)  FROM test_table GROUP BY key
---->
CREATE TABLE coalescing_tuples
(
    key UInt64,
    data Tuple(
        value_a Nullable(UInt64),
        value_b Nullable(String),
        nested Tuple(
            value_c Nullable(UInt64)
        )
    )
) ENGINE = CoalescingMergeTree()
ORDER BY key
SETTINGS allow_tuple_element_aggregation = 1
---->
INSERT INTO coalescing_tuples VALUES (1, (100, NULL, (NULL)))
---->
INSERT INTO coalescing_tuples VALUES (1, (NULL, 'hello', (42)))
---->
SELECT key, data.value_a, data.value_b, data.nested.value_c FROM coalescing_tuples FINAL
---->
CREATE TABLE UAct
(
    UserID UInt64,
    PageViews UInt8,
    Duration UInt8,
    Sign Int8
)
ENGINE = CollapsingMergeTree(Sign)
ORDER BY UserID
---->
INSERT INTO UAct VALUES (4324182021466249494, 5, 146, 1)
---->
INSERT INTO UAct VALUES (4324182021466249494, 5, 146, -1),(4324182021466249494, 6, 185, 1)
---->
SELECT * FROM UAct
---->
SELECT
    UserID,
    sum(PageViews * Sign) AS PageViews,
    sum(Duration * Sign) AS Duration
FROM UAct
GROUP BY UserID
HAVING sum(Sign) > 0
---->
SELECT * FROM UAct FINAL
---->
CREATE TABLE UAct
(
    UserID UInt64,
    PageViews Int16,
    Duration Int16,
    Sign Int8
)
ENGINE = CollapsingMergeTree(Sign)
ORDER BY UserID
---->
INSERT INTO UAct VALUES(4324182021466249494,  5,  146,  1)
---->
INSERT INTO UAct VALUES(4324182021466249494, -5, -146, -1)
---->
INSERT INTO UAct VALUES(4324182021466249494,  6,  185,  1)
---->
SELECT
    UserID,
    sum(PageViews) AS PageViews,
    sum(Duration) AS Duration
FROM UAct
GROUP BY UserID
---->
SELECT COUNT() FROM UAct
---->
OPTIMIZE TABLE UAct FINAL
---->
SET format_custom_row_before_delimiter = 'row('
---->
SET format_custom_row_after_delimiter = ')'
---->
SET format_custom_field_delimiter = ';'
---->
SET format_custom_row_between_delimiter = ','
---->
SET format_custom_escaping_rule = 'Quoted'
---->
INSERT INTO football FROM INFILE 'football.txt' FORMAT CustomSeparated
---->
SELECT *
FROM football
FORMAT CustomSeparated
---->
INSERT INTO football FROM INFILE 'football.txt' FORMAT CustomSeparatedIgnoreSpaces
---->
INSERT INTO football FROM INFILE 'football.txt' FORMAT CustomSeparatedIgnoreSpacesWithNames
---->
INSERT INTO football FROM INFILE 'football.txt' FORMAT CustomSeparatedIgnoreSpacesWithNamesAndTypes
---->
INSERT INTO football FROM INFILE 'football.txt' FORMAT CustomSeparatedWithNames
---->
SELECT *
FROM football
FORMAT CustomSeparatedWithNames
---->
INSERT INTO football FROM INFILE 'football.txt' FORMAT CustomSeparatedWithNamesAndTypes
---->
SELECT *
FROM football
FORMAT CustomSeparatedWithNamesAndTypes
---->
DATE(expr)
---->
SELECT DATE('2023-01-01')
---->
SELECT
    unit_name,
    count() AS c
FROM file('programs/clickhouse', DWARF)
WHERE tag = 'subprogram' AND NOT has(attr_name, 'declaration')
GROUP BY unit_name
ORDER BY c DESC
LIMIT 3
---->
SET allow_experimental_database_iceberg = 1
---->
SET allow_experimental_database_unity_catalog = 1
---->
SET allow_experimental_database_glue_catalog = 1
---->
SET allow_experimental_database_hms_catalog = 1
---->
SET allow_experimental_database_paimon_rest_catalog = 1
---->
SHOW TABLES IN database_name
---->
SELECT count() from database_name.table_name
---->
CREATE TABLE dt
(
    `timestamp` Date,
    `event_id` UInt8
)
ENGINE = TinyLog
---->
-- Parse Date
-- - from string,
-- - from 'small' integer interpreted as number of days since 1970-01-01, and
-- - from 'big' integer interpreted as number of seconds since 1970-01-01.
INSERT INTO dt VALUES ('2019-01-01', 1), (17897, 2), (1546300800, 3)
---->
SELECT * FROM dt
---->
Date
---->
CREATE TABLE dt32
(
    `timestamp` Date32,
    `event_id` UInt8
)
ENGINE = TinyLog
---->
-- Parse Date
-- - from string,
-- - from 'small' integer interpreted as number of days since 1970-01-01, and
-- - from 'big' integer interpreted as number of seconds since 1970-01-01.
INSERT INTO dt32 VALUES ('2100-01-01', 1), (47482, 2), (4102444800, 3)
---->
SELECT * FROM dt32
---->
Date32
---->
DateTime([timezone])
---->
CREATE TABLE dt
(
    `timestamp` DateTime('Asia/Istanbul'),
    `event_id` UInt8
)
ENGINE = TinyLog
---->
-- Parse DateTime
-- - from string,
-- - from integer interpreted as number of seconds since 1970-01-01.
INSERT INTO dt VALUES ('2019-01-01 00:00:00', 1), (1546300800, 2)
---->
SELECT * FROM dt WHERE timestamp = toDateTime('2019-01-01 00:00:00', 'Asia/Istanbul')
---->
SELECT * FROM dt WHERE timestamp = '2019-01-01 00:00:00'
---->
SELECT toDateTime(now(), 'Asia/Istanbul') AS column, toTypeName(column) AS x
---->
SELECT
toDateTime(timestamp, 'Europe/London') AS lon_time,
toDateTime(timestamp, 'Asia/Istanbul') AS istanbul_time
FROM dt
---->
DateTime32([timezone])
---->
DateTime64(precision, [timezone])
---->
CREATE TABLE dt64
(
    `timestamp` DateTime64(3, 'Asia/Istanbul'),
    `event_id` UInt8
)
ENGINE = MergeTree
---->
-- Parse DateTime
-- - from an integer interpreted as the number of milliseconds (because of precision 3) since 1970-01-01,
-- - from a decimal interpreted as the number of seconds before the decimal part, and based on the precision after the decimal point,
-- - from a string.

INSERT INTO dt64
VALUES
(1546300800123, 1),
(1546300800.123, 2),
('2019-01-01 00:00:00', 3)
---->
SELECT * FROM dt64
---->
SELECT * FROM dt64 WHERE timestamp = toDateTime64('2019-01-01 00:00:00', 3, 'Asia/Istanbul')
---->
SELECT * FROM dt64 WHERE timestamp = toDateTime64(1546300800.123, 3)
---->
SELECT toDateTime64(now(), 3, 'Asia/Istanbul') AS column, toTypeName(column) AS x
---->
SELECT
toDateTime64(timestamp, 3, 'Europe/London') AS lon_time,
toDateTime64(timestamp, 3, 'Asia/Istanbul') AS istanbul_time
FROM dt64
---->
SELECT toDecimal32(2, 4) AS x, x / 3
---->
SELECT toDecimal32(4.2, 8) AS x, x * x
---->
SELECT toDecimal32(4.2, 8) AS x, 6 * x
---->
SET decimal_check_overflow = 0
---->
SELECT toDecimal32(1, 8) < 100
---->
Decimal128(S)
---->
Decimal256(S)
---->
Decimal32(S)
---->
Decimal64(S)
---->
CREATE TABLE deltalake
ENGINE = DeltaLake('http://mars-doc-test.s3.amazonaws.com/clickhouse-bucket-3/test_table/', 'ABC123', 'Abc+123')
---->
CREATE TABLE deltalake
ENGINE = DeltaLake(deltalake_conf, filename = 'test_table')
---->
-- Using HTTPS URL (recommended)
CREATE TABLE table_name
ENGINE = DeltaLake('https://storage.googleapis.com/<bucket>/<path>/', '<access_key_id>', '<secret_access_key>')
---->
CREATE NAMED COLLECTION gcs_creds AS
access_key_id = '<access_key>',
secret_access_key = '<secret>'
---->
CREATE TABLE gcpDeltaLake
ENGINE = DeltaLake(gcs_creds, url = 'https://storage.googleapis.com/<bucket>/<path>')
---->
SET allow_delta_lake_writes = 1
---->
INSERT INTO deltalake(id, firstname, lastname, gender, age)
VALUES (1, 'John', 'Smith', 'M', 32)
---->
ENGINE = DeltaLakeLocal(path)
---->
ENGINE = Dictionary
---->
SELECT
    name,
    type,
    key,
    attribute.names,
    attribute.types,
    bytes_allocated,
    element_count,
    source
FROM system.dictionaries
WHERE name = 'products'
---->
CREATE TABLE products (product_id UInt64, title String) ENGINE = Dictionary(products)
---->
SELECT * FROM products LIMIT 1
---->
CREATE TABLE remote_one ENGINE = Remote('127.0.0.1', system, one)
---->
SELECT * FROM remote_one
---->
CREATE TABLE test (d Dynamic) ENGINE = Memory
---->
INSERT INTO test VALUES (NULL), (42), ('Hello, World!'), ([1, 2, 3])
---->
SELECT d, dynamicType(d) FROM test
---->
SELECT 'Hello, World!'::Dynamic AS d, dynamicType(d)
---->
SET use_variant_as_common_type = 1
---->
SELECT multiIf((number % 3) = 0, number, (number % 3) = 1, range(number + 1), NULL)::Dynamic AS d, dynamicType(d) FROM numbers(3)
---->
SELECT d, dynamicType(d), d.String, d.Int64, d.`Array(Int64)`, d.Date, d.`Array(String)` FROM test
---->
SELECT toTypeName(d.String), toTypeName(d.Int64), toTypeName(d.`Array(Int64)`), toTypeName(d.Date), toTypeName(d.`Array(String)`)  FROM test LIMIT 1
---->
SELECT d, dynamicType(d), dynamicElement(d, 'String'), dynamicElement(d, 'Int64'), dynamicElement(d, 'Array(Int64)'), dynamicElement(d, 'Date'), dynamicElement(d, 'Array(String)') FROM test
---->
SELECT dynamicType(d) FROM test
---->
SET cast_string_to_dynamic_use_inference = 1
---->
SELECT CAST(materialize(map('key1', '42', 'key2', 'true', 'key3', '2020-01-01')), 'Map(String, Dynamic)') as map_of_dynamic, mapApply((k, v) -> (k, dynamicType(v)), map_of_dynamic) as map_of_dynamic_types
---->
INSERT INTO test VALUES (NULL), (42), ('42.42'), (true), ('e10')
---->
SELECT d::Nullable(Float64) FROM test
---->
CREATE TABLE test (v Variant(UInt64, String, Array(UInt64))) ENGINE = Memory
---->
INSERT INTO test VALUES (NULL), (42), ('String'), ([1, 2, 3])
---->
SELECT v::Dynamic AS d, dynamicType(d) FROM test
---->
CREATE TABLE test (d Dynamic(max_types=3)) ENGINE = Memory
---->
INSERT INTO test VALUES (NULL), (42), (43), ('42.42'), (true)
---->
SELECT d::Dynamic(max_types=5) as d2, dynamicType(d2) FROM test
---->
SELECT
    d,
    dynamicType(d),
    dynamicElement(d, 'String') AS str,
    dynamicElement(d, 'Int64') AS num,
    dynamicElement(d, 'Float64') AS float,
    dynamicElement(d, 'Date') AS date,
    dynamicElement(d, 'Array(Int64)') AS arr
FROM format(JSONEachRow, 'd Dynamic', $$
{"d" : "Hello, World!"},
{"d" : 42},
{"d" : 42.42},
{"d" : "2020-01-01"},
{"d" : [1, 2, 3]}
$$)
---->
CREATE TABLE test (d Dynamic) ENGINE=Memory
---->
INSERT INTO test VALUES (NULL), (1::Int8), (2::Int16), (3::Int32), (4::Int64)
---->
SELECT d, d + 1 AS res, toTypeName(res), dynamicType(res) FROM test
---->
SELECT d, d + d AS res, toTypeName(res), dynamicType(res) FROM test
---->
SELECT d, d < 3 AS res, toTypeName(res) FROM test
---->
SELECT d, exp2(d) AS res, toTypeName(res) FROM test
---->
TRUNCATE TABLE test
---->
INSERT INTO test VALUES (NULL), ('str_1'), ('str_2')
---->
SELECT d, upper(d) AS res, toTypeName(res) FROM test
---->
SELECT d, extract(d, '([0-3])') AS res, toTypeName(res) FROM test
---->
INSERT INTO test VALUES (NULL), ([1, 2]), ([3, 4])
---->
SELECT d, d[1] AS res, toTypeName(res), dynamicType(res) FROM test
---->
INSERT INTO test VALUES (42), (43), ('str_1')
---->
SELECT d, d + 1 AS res, toTypeName(res), dynamicType(d) FROM test
---->
SELECT d, d + 1 AS res, toTypeName(res), dynamicType(res) FROM test WHERE dynamicType(d) NOT IN ('String', 'Array(Int64)', 'None')
---->
SELECT d, d.Int64 + 1 AS res, toTypeName(res) FROM test
---->
INSERT INTO test VALUES ('world'), (123), (456)
---->
-- Default (throw on mismatch): length() does not accept integers, so the query throws.
SELECT length(d) FROM test
---->
-- throws ILLEGAL_TYPE_OF_ARGUMENT

-- With throw disabled: incompatible rows return NULL.
SET dynamic_throw_on_type_mismatch = false
---->
SELECT d, length(d) FROM test ORDER BY d::String NULLS LAST
---->
INSERT INTO test VALUES (42), (43), ('abc'), ('abd'), ([1, 2, 3]), ([]), (NULL)
---->
SELECT d, dynamicType(d) FROM test ORDER BY d SETTINGS allow_suspicious_types_in_order_by=1
---->
INSERT INTO test VALUES (1::UInt32), (1::Int64), (100::UInt32), (100::Int64)
---->
SELECT d, dynamicType(d) FROM test GROUP BY d SETTINGS allow_suspicious_types_in_group_by=1
---->
SELECT d, dynamicType(d), isDynamicElementInSharedData(d) FROM format(JSONEachRow, 'd Dynamic(max_types=3)', '
{"d" : 42}
{"d" : [1, 2, 3]}
{"d" : "Hello, World!"}
{"d" : "2020-01-01"}
{"d" : ["str1", "str2", "str3"]}
{"d" : {"a" : 1, "b" : [1, 2, 3]}}
')
---->
CREATE TABLE test (id UInt64, d Dynamic(max_types=3)) ENGINE=MergeTree ORDER BY id
---->
SYSTEM STOP MERGES test
---->
INSERT INTO test SELECT number, number FROM numbers(5)
---->
INSERT INTO test SELECT number, range(number) FROM numbers(4)
---->
INSERT INTO test SELECT number, toDate(number) FROM numbers(3)
---->
INSERT INTO test SELECT number, map(number, number) FROM numbers(2)
---->
INSERT INTO test SELECT number, 'str_' || toString(number) FROM numbers(1)
---->
SELECT count(), dynamicType(d), isDynamicElementInSharedData(d), _part FROM test GROUP BY _part, dynamicType(d), isDynamicElementInSharedData(d) ORDER BY _part, count()
---->
SYSTEM START MERGES test
---->
OPTIMIZE TABLE test FINAL
---->
SELECT count(), dynamicType(d), isDynamicElementInSharedData(d), _part FROM test GROUP BY _part, dynamicType(d), isDynamicElementInSharedData(d) ORDER BY _part, count() desc
---->
SELECT JSONExtract('{"a" : [1, 2, 3]}', 'a', 'Dynamic') AS dynamic, dynamicType(dynamic) AS dynamic_type
---->
SELECT JSONExtract('{"obj" : {"a" : 42, "b" : "Hello", "c" : [1,2,3]}}', 'obj', 'Map(String, Dynamic)') AS map_of_dynamics, mapApply((k, v) -> (k, dynamicType(v)), map_of_dynamics) AS map_of_dynamic_types
---->
SELECT JSONExtractKeysAndValues('{"a" : 42, "b" : "Hello", "c" : [1,2,3]}', 'Dynamic') AS dynamics, arrayMap(x -> (x.1, dynamicType(x.2)), dynamics) AS dynamic_types
---->
CREATE TABLE test
(
    `key` String,
    `v1` UInt32,
    `v2` String,
    `v3` Float32
)
ENGINE = EmbeddedRocksDB
PRIMARY KEY key
---->
INSERT INTO test VALUES ('some key', 1, 'value', 3.2)
---->
DELETE FROM test WHERE key LIKE 'some%' AND v1 > 1
---->
ALTER TABLE test DELETE WHERE key LIKE 'some%' AND v1 > 1
---->
ALTER TABLE test UPDATE v1 = v1 * 10 + 2 WHERE key LIKE 'some%' AND v3 > 3.1
---->
SET join_algorithm = 'direct, hash'
---->
CREATE TABLE rdb
(
    `key` UInt32,
    `value` Array(UInt32),
    `value2` String
)
ENGINE = EmbeddedRocksDB
PRIMARY KEY key
---->
INSERT INTO rdb
    SELECT
        toUInt32(sipHash64(number) % 10) AS key,
        [key, key+1] AS value,
        ('val2' || toString(key)) AS value2
    FROM numbers_mt(10)
---->
CREATE TABLE t2
(
    `k` UInt16
)
ENGINE = TinyLog
---->
INSERT INTO t2 SELECT number AS k
FROM numbers_mt(10)
---->
SET join_algorithm = 'direct'
---->
SELECT *
FROM
(
    SELECT k AS key
    FROM t2
) AS t2
INNER JOIN rdb ON rdb.key = t2.key
ORDER BY key ASC
---->
CREATE TABLE t_enum
(
    x Enum('hello' = 1, 'world' = 2)
)
ENGINE = TinyLog
---->
CREATE TABLE t_enum
(
    x Enum('hello', 'world')
)
ENGINE = TinyLog
---->
CREATE TABLE t_enum
(
    x Enum('hello' = 1, 'world')
)
ENGINE = TinyLog
---->
CREATE TABLE t_enum
(
    x Enum8('hello' = -129, 'world')
)
ENGINE = TinyLog
---->
INSERT INTO t_enum VALUES ('hello'), ('world'), ('hello')
---->
INSERT INTO t_enum VALUES('a')
---->
SELECT * FROM t_enum
---->
SELECT CAST(x, 'Int8') FROM t_enum
---->
SELECT toTypeName(CAST('a', 'Enum(\'a\' = 1, \'b\' = 2)'))
---->
CREATE TABLE t_enum_nullable
(
    x Nullable(Enum8('hello' = 1, 'world' = 2))
)
ENGINE = TinyLog
---->
INSERT INTO t_enum_nullable VALUES('hello'),('world'),(NULL)
---->
CREATE TABLE enum
(
    x Enum('One' = 1, 'Two', 'Three')
) ENGINE = Memory
---->
ALTER TABLE enum MODIFY COLUMN x ADD ENUM VALUES ('Zero' = 0, 'Four' = 4)
---->
SHOW CREATE TABLE enum
---->
CREATE TABLE my_executable_table (
   x UInt32,
   y String
)
ENGINE = Executable('my_script.py', TabSeparated, (SELECT 10))
---->
SELECT * FROM my_executable_table
---->
CREATE TABLE sentiment (
id UInt64,
sentiment Float32
)
ENGINE = Executable(
    'sentiment.py',
    TabSeparated,
    (SELECT id, comment FROM hackernews WHERE id > 0 AND comment != '' LIMIT 20)
)
---->
SELECT *
FROM sentiment
---->
CREATE TABLE sentiment_pooled (
id UInt64,
sentiment Float32
)
ENGINE = ExecutablePool(
    'sentiment.py',
    TabSeparated,
    (SELECT id, comment FROM hackernews WHERE id > 0 AND comment != '' LIMIT 20000)
)
SETTINGS
    pool_size = 4
---->
FQDN()
---->
SELECT fqdn()
---->
File(Format)
---->
CREATE TABLE file_engine_table (name String, value UInt32) ENGINE=File(TabSeparated)
---->
SELECT * FROM file_engine_table
---->
CREATE TABLE logs (
    timestamp UInt64,
    level String,
    message String
  ) ENGINE = FileLog('user_files/my_app/app.log', 'JSONEachRow')
---->
CREATE TABLE daily (
    day Date,
    level String,
    total UInt64
  ) ENGINE = SummingMergeTree
  PARTITION BY toYYYYMM(day)
  ORDER BY (day, level)
---->
CREATE MATERIALIZED VIEW consumer TO daily
    AS SELECT toDate(toDateTime(timestamp)) AS day, level, count() AS total
    FROM logs GROUP BY day, level
---->
SELECT level, sum(total) FROM daily GROUP BY level
---->
DETACH TABLE consumer
---->
ATTACH TABLE consumer
---->
ENGINE = Filesystem([path])
---->
INSERT INTO FixedStringTable VALUES ('a'), ('ab'), ('')
---->
SELECT
    name,
    toTypeName(name),
    length(name),
    empty(name)
FROM FixedStringTable
---->
FixedString(N)
---->
Float32
---->
CREATE TABLE IF NOT EXISTS float_vs_decimal
(
my_float Float64,
my_decimal Decimal64(3)
)
ENGINE=MergeTree
ORDER BY tuple()
---->
# Generate 1 000 000 random numbers with 2 decimal places and store them as a float and as a decimal
INSERT INTO float_vs_decimal SELECT round(randCanonical(), 3) AS res, res FROM system.numbers LIMIT 1000000
---->
SELECT sum(my_float), sum(my_decimal) FROM float_vs_decimal
---->
SELECT countDistinct(arrayJoin([0./0., nan, log(-1.)]))
---->
-- Replace every NaN with a single canonical NaN value
SELECT countDistinct(if(isNaN(x), CAST('nan' AS Float64), x))
FROM (SELECT arrayJoin([0./0., nan, log(-1.)]) AS x)
---->
-- Returns 1.

-- Or exclude NaN values from the set entirely
SELECT countDistinct(if(isNaN(x), NULL, x))
FROM (SELECT arrayJoin([0./0., nan, log(-1.)]) AS x)
---->
SELECT * FROM file(data.tmp, Form) FORMAT vertical
---->
CREATE TABLE generate_engine_table (name String, value UInt32) ENGINE = GenerateRandom(1, 5, 3)
---->
SELECT * FROM generate_engine_table LIMIT 3
---->
SELECT id, properties.name AS name, variantType(geometry) AS geo_type
FROM file('london.geojson', GeoJSON)
---->
SELECT id, properties.name AS name, variantType(geometry) AS geo_type
FROM file('london.geojson')
---->
SELECT properties.name AS name, geometry, variantType(geometry)
FROM file('london.geojson', GeoJSON)
---->
SELECT properties.name AS name, variantType(geometry), geometry.Point, geometry.LineString, geometry.Polygon
FROM file('london.geojson', GeoJSON)
---->
CREATE TABLE london
(
    id           String,
    geometry     Geometry,
    properties   Nullable(JSON),
    name         String MATERIALIZED properties.name,
    feature_type String MATERIALIZED properties.feature_type
)
ENGINE = MergeTree
ORDER BY id
---->
INSERT INTO london
SELECT id, geometry, properties
FROM file('london.geojson', GeoJSON)
---->
SELECT name, feature_type, variantType(geometry) AS geo_type
FROM london
ORDER BY id
---->
DESCRIBE format(GeoJSON, '{"type":"FeatureCollection","features":[]}')
---->
SELECT id, geometry, name, feature_type
FROM london
ORDER BY id
FORMAT GeoJSON
---->
SELECT * FROM file('london.geojson', GeoJSON) FORMAT GeoJSON
---->
SELECT 42 AS id, (-0.1276, 51.5072)::Point AS geometry FORMAT GeoJSON
---->
SELECT [(0., 0.), (10., 0.), (10., 10.), (0., 0.)]::Ring AS geometry FORMAT GeoJSON
---->
SELECT id, geometry, properties
FROM london
ORDER BY id
INTO OUTFILE 'london_export.geojson'
FORMAT GeoJSON
---->
INSERT INTO FUNCTION file('london_export.geojson', GeoJSON)
SELECT id, geometry, properties FROM london
---->
Geometry
---->
ENGINE = HDFS([hdfs_host_and_root_path])
---->
ENGINE = HDFS(URI, format)
---->
CREATE TABLE hdfs_engine_table (name String, value UInt32) ENGINE=HDFS('hdfs://hdfs1:9000/other_storage', 'TSV')
---->
INSERT INTO hdfs_engine_table VALUES ('one', 1), ('two', 2), ('three', 3)
---->
SELECT * FROM hdfs_engine_table LIMIT 2
---->
CREATE TABLE table_with_range (name String, value UInt32) ENGINE = HDFS('hdfs://hdfs1:9000/{some,another}_dir/some_file_{1..3}', 'TSV')
---->
CREATE TABLE table_with_question_mark (name String, value UInt32) ENGINE = HDFS('hdfs://hdfs1:9000/{some,another}_dir/some_file_?', 'TSV')
---->
CREATE TABLE table_with_asterisk (name String, value UInt32) ENGINE = HDFS('hdfs://hdfs1:9000/{some,another}_dir/*', 'TSV')
---->
CREATE TABLE big_table (name String, value UInt32) ENGINE = HDFS('hdfs://hdfs1:9000/big_dir/file{0..9}{0..9}{0..9}', 'CSV')
---->
HMAC(mode, message, key)
---->
SELECT hex(HMAC('sha256', 'The quick brown fox jumps over the lazy dog', 'secret_key'))
---->
SELECT
    hex(HMAC('md5', 'message', 'key')) AS hmac_md5,
    hex(HMAC('sha1', 'message', 'key')) AS hmac_sha1,
    hex(HMAC('sha256', 'message', 'key')) AS hmac_sha256
---->
SELECT
    hmac('SHA256', 'message', 'key') = HMAC('sha256', 'message', 'key') AS same_result,
    HMAC('SHA256', 'message', 'key') = Hmac('Sha256', 'message', 'key') AS also_same
---->
SELECT *
FROM football
FORMAT Hash
---->
CREATE TABLE hudi_table ENGINE=Hudi('http://mars-doc-test.s3.amazonaws.com/clickhouse-bucket-3/test_table/', 'ABC123', 'Abc+123')
---->
CREATE TABLE hudi_table ENGINE=Hudi(hudi_conf, filename = 'test_table')
---->
CREATE TABLE hits (url String, from IPv4) ENGINE = MergeTree() ORDER BY url
---->
DESCRIBE TABLE hits
---->
CREATE TABLE hits (url String, from IPv4) ENGINE = MergeTree() ORDER BY from
---->
INSERT INTO hits (url, from) VALUES ('https://wikipedia.org', '116.253.40.133')('https://clickhouse.com', '183.247.232.58')('https://clickhouse.com/docs/en/', '116.106.34.242')
---->
SELECT * FROM hits
---->
SELECT toTypeName(from), hex(from) FROM hits LIMIT 1
---->
SELECT toIPv4('127.0.0.1') = toIPv6('::ffff:127.0.0.1')
---->
IPv4CIDRToRange(ipv4, cidr)
---->
SELECT IPv4CIDRToRange(toIPv4('192.168.5.2'), 16)
---->
IPv4NumToString(num)
---->
IPv4NumToString(3232235521)
---->
IPv4NumToStringClassC(num)
---->
SELECT
    IPv4NumToStringClassC(ClientIP) AS k,
    count() AS c
FROM test.hits
GROUP BY k
ORDER BY c DESC
LIMIT 10
---->
IPv4StringToNum(string)
---->
IPv4StringToNum('192.168.0.1')
---->
IPv4StringToNumOrDefault(string)
---->
SELECT
    IPv4StringToNumOrDefault('127.0.0.1') AS valid,
    IPv4StringToNumOrDefault('invalid') AS invalid
---->
IPv4StringToNumOrNull(string)
---->
SELECT
IPv4StringToNumOrNull('127.0.0.1') AS valid,
IPv4StringToNumOrNull('invalid') AS invalid
---->
IPv4ToIPv6(x)
---->
SELECT IPv6NumToString(IPv4ToIPv6(IPv4StringToNum('192.168.0.1'))) AS addr
---->
CREATE TABLE hits (url String, from IPv6) ENGINE = MergeTree() ORDER BY url
---->
CREATE TABLE hits (url String, from IPv6) ENGINE = MergeTree() ORDER BY from
---->
INSERT INTO hits (url, from) VALUES ('https://wikipedia.org', '2a02:aa08:e000:3100::2')('https://clickhouse.com', '2001:44c8:129:2632:33:0:252:2')('https://clickhouse.com/docs/en/', '2a02:e980:1e::1')
---->
IPv6CIDRToRange(ipv6, cidr)
---->
SELECT IPv6CIDRToRange(toIPv6('2001:0db8:0000:85a3:0000:0000:ac1f:8001'), 32)
---->
IPv6NumToString(x)
---->
SELECT IPv6NumToString(toFixedString(unhex('2A0206B8000000000000000000000011'), 16)) AS addr
---->
SELECT
    IPv6NumToString(ClientIP6 AS k),
    count() AS c
FROM hits_all
WHERE EventDate = today() AND substring(ClientIP6, 1, 12) != unhex('00000000000000000000FFFF')
GROUP BY k
ORDER BY c DESC
LIMIT 10
---->
SELECT
    IPv6NumToString(ClientIP6 AS k),
    count() AS c
FROM hits_all
WHERE EventDate = today()
GROUP BY k
ORDER BY c DESC
LIMIT 10
---->
IPv6StringToNum(string)
---->
SELECT addr, cutIPv6(IPv6StringToNum(addr), 0, 0) FROM (SELECT ['notaddress', '127.0.0.1', '1111::ffff'] AS addr) ARRAY JOIN addr
---->
IPv6StringToNumOrDefault(string)
---->
SELECT
    IPv6NumToString(IPv6StringToNumOrDefault('2001:db8::1')) AS valid,
    IPv6NumToString(IPv6StringToNumOrDefault('invalid')) AS invalid
---->
IPv6StringToNumOrNull(string)
---->
SELECT
    IPv6NumToString(IPv6StringToNumOrNull('2001:db8::1')) AS valid,
    IPv6StringToNumOrNull('invalid') AS invalid
---->
CREATE TABLE iceberg_table ENGINE=IcebergS3('http://test.s3.amazonaws.com/clickhouse-bucket/test_table', 'test', 'test')
---->
CREATE TABLE iceberg_table ENGINE=IcebergS3(iceberg_conf, filename = 'test_table')
---->
OPTIMIZE TABLE example_table MANIFEST SETTINGS allow_experimental_iceberg_compaction = 1
---->
SELECT * FROM example_table ORDER BY 1
SETTINGS iceberg_timestamp_ms = 1714636800000
---->
SELECT * FROM example_table ORDER BY 1
SETTINGS iceberg_snapshot_id = 3547395809148285433
---->
ts = now()
---->
CREATE TABLE example_table ENGINE = Iceberg(
    's3://bucket/path/to/iceberg_table'
) SETTINGS iceberg_metadata_table_uuid = '6f6f6407-c6a5-465f-a808-ea8900e35a38'
---->
CREATE TABLE example_table ENGINE = Iceberg(
    's3://bucket/path/to/iceberg_table'
) SETTINGS
    iceberg_metadata_async_prefetch_period_ms = 60000
---->
ENGINE = IcebergHDFS(uri)
---->
ENGINE = IcebergLocal(path)
---->
Int128
---->
Int16
---->
Int256
---->
Int64
---->
Int8
---->
SELECT toTypeName(INTERVAL 4 DAY)
---->
SELECT now() AS current_date_time, current_date_time + INTERVAL 4 DAY
---->
SELECT now() AS current_date_time, current_date_time + (INTERVAL 4 DAY + INTERVAL 3 HOUR)
---->
SELECT toIntervalMicrosecond(179999999) < toIntervalMinute(3)
---->
SELECT INTERVAL '1:30' HOUR TO MINUTE
---->
SELECT INTERVAL '+1:30' HOUR TO MINUTE
---->
IntervalHour
---->
IntervalMicrosecond
---->
IntervalMillisecond
---->
IntervalMinute
---->
IntervalMonth
---->
IntervalNanosecond
---->
IntervalQuarter
---->
IntervalSecond
---->
IntervalWeek
---->
IntervalYear
---->
CREATE TABLE jdbc_table
(
    `int_id` Int32,
    `int_nullable` Nullable(Int32),
    `float` Float32,
    `float_nullable` Nullable(Float32)
)
ENGINE JDBC('jdbc:mysql://localhost:3306/?user=root&password=root', 'test', 'test')
---->
SELECT *
FROM jdbc_table
---->
INSERT INTO jdbc_table(`int_id`, `float`)
SELECT toInt32(number), toFloat32(number * 1.0)
FROM system.numbers
---->
CREATE TABLE test (json JSON) ENGINE = Memory
---->
INSERT INTO test VALUES ('{"a" : {"b" : 42}, "c" : [1, 2, 3]}'), ('{"f" : "Hello, World!"}'), ('{"a" : {"b" : 43, "e" : 10}, "c" : [4, 5, 6]}')
---->
SELECT json FROM test
---->
CREATE TABLE test (json JSON(a.b UInt32, SKIP a.e)) ENGINE = Memory
---->
SELECT '{"a" : {"b" : 42},"c" : [1, 2, 3], "d" : "Hello, World!"}'::JSON AS json
---->
SET enable_named_columns_in_function_tuple = 1
---->
SELECT (tuple(42 AS b) AS a, [1, 2, 3] AS c, 'Hello, World!' AS d)::JSON AS json
---->
SET use_variant_as_common_type=1
---->
SELECT map('a', map('b', 42), 'c', [1,2,3], 'd', 'Hello, World!')::JSON AS json
---->
SELECT CAST('{"a.b.c" : 42}', 'JSON') AS json
---->
INSERT INTO test VALUES ('{"a" : {"b" : 42, "g" : 42.42}, "c" : [1, 2, 3], "d" : "2020-01-01"}'), ('{"f" : "Hello, World!", "d" : "2020-01-02"}'), ('{"a" : {"b" : 43, "e" : 10, "g" : 43.43}, "c" : [4, 5, 6]}')
---->
SELECT json.a.b, json.a.g, json.c, json.d FROM test
---->
SELECT getSubcolumn(json, 'a.b'), getSubcolumn(json, 'a.g'), getSubcolumn(json, 'c'), getSubcolumn(json, 'd') FROM test
---->
SELECT json.non.existing.path FROM test
---->
SELECT toTypeName(json.a.b), toTypeName(json.a.g), toTypeName(json.c), toTypeName(json.d) FROM test
---->
SELECT
    json.a.g.:Float64,
    dynamicType(json.a.g),
    json.d.:Date,
    dynamicType(json.d)
FROM test
---->
SELECT json.a.g::UInt64 AS uint
FROM test
---->
SELECT json.a.g::UUID AS float
FROM test
---->
INSERT INTO test VALUES ('{"a" : {"b" : {"c" : 42, "g" : 42.42}}, "c" : [1, 2, 3], "d" : {"e" : {"f" : {"g" : "Hello, World", "h" : [1, 2, 3]}}}}'), ('{"f" : "Hello, World!", "d" : {"e" : {"f" : {"h" : [4, 5, 6]}}}}'), ('{"a" : {"b" : {"c" : 43, "e" : 10, "g" : 43.43}}, "c" : [4, 5, 6]}')
---->
SELECT json.^a.b, json.^d.e.f FROM test
---->
INSERT INTO test VALUES ('{"a" : 42, "b" : {"c" : 1, "d" : "Hello"}}'), ('{"a" : {"x": 1, "y": 2}, "b" : {"c" : 1}}'), ('{"c" : "World"}')
---->
SELECT
    json.a,
    dynamicType(json.a),
    json.^a,
    toTypeName(json.^a),
    json.@a,
    dynamicType(json.@a)
FROM test
---->
SELECT JSONAllPathsWithTypes('{"a" : "2020-01-01", "b" : "2020-01-01 10:00:00"}'::JSON) AS paths_with_types settings input_format_try_infer_dates=1, input_format_try_infer_datetimes=1
---->
SELECT JSONAllPathsWithTypes('{"a" : "2020-01-01", "b" : "2020-01-01 10:00:00"}'::JSON) AS paths_with_types settings input_format_try_infer_dates=0, input_format_try_infer_datetimes=0
---->
SELECT JSONAllPathsWithTypes('{"a" : [1, 2, 3]}'::JSON) AS paths_with_types settings schema_inference_make_columns_nullable=1
---->
SELECT JSONAllPathsWithTypes('{"a" : [1, 2, 3]}'::JSON) AS paths_with_types settings schema_inference_make_columns_nullable=0
---->
INSERT INTO test VALUES
('{"a" : {"b" : [{"c" : 42, "d" : "Hello", "f" : [[{"g" : 42.42}]], "k" : {"j" : 1000}}, {"c" : 43}, {"e" : [1, 2, 3], "d" : "My", "f" : [[{"g" : 43.43, "h" : "2020-01-01"}]],  "k" : {"j" : 2000}}]}}'),
('{"a" : {"b" : [1, 2, 3]}}'),
('{"a" : {"b" : [{"c" : 44, "f" : [[{"h" : "2020-01-02"}]]}, {"e" : [4, 5, 6], "d" : "World", "f" : [[{"g" : 44.44}]],  "k" : {"j" : 3000}}]}}')
---->
SELECT json.a.b, dynamicType(json.a.b) FROM test
---->
SELECT json.a.b.:`Array(JSON)`.c, json.a.b.:`Array(JSON)`.f, json.a.b.:`Array(JSON)`.d FROM test
---->
SELECT json.a.b[].c, json.a.b[].f, json.a.b[].d FROM test
---->
SELECT DISTINCT arrayJoin(JSONAllPathsWithTypes(arrayJoin(json.a.b[]))) FROM test
---->
SELECT json.a.b[].c.:Int64, json.a.b[].f[][].g.:Float64, json.a.b[].f[][].h.:Date FROM test
---->
SELECT json.a.b[].^k FROM test
---->
SELECT '{}'::JSON AS json1, '{"a" : null}'::JSON AS json2, json1 = json2
---->
SELECT '{"a" : {"b" : 42}}'::JSON AS json1, '{"a.b" : 42}'::JSON AS json2, JSONAllPaths(json1), JSONAllPaths(json2)
---->
SELECT '{"a.b" : 42, "a" : {"b" : "Hello World!"}}'::JSON AS json
---->
SET json_type_escape_dots_in_keys=1
---->
SELECT '{"a.b" : 42, "a" : {"b" : "Hello World!"}}'::JSON AS json, JSONAllPaths(json)
---->
SELECT '{"a.b" : 42, "a" : {"b" : "Hello World!"}}'::JSON AS json, json.`a%2Eb`, json.a.b
---->
SELECT '{"a.b" : 42, "a" : {"b" : "Hello World!"}}'::JSON AS json, json.`a%2Eb`, json.`a.b`, json.a.b
---->
SELECT '{"a.b" : 42, "a" : {"b" : "Hello World!"}}'::JSON(`a%2Eb` UInt8) as json, json.`a%2Eb`, toTypeName(json.`a%2Eb`)
---->
SELECT '{"a.b" : 42, "a" : {"b" : "Hello World!"}}'::JSON(SKIP `a%2Eb`) as json, json.`a%2Eb`
---->
SELECT json FROM format(JSONEachRow, 'json JSON(a.b.c UInt32, SKIP a.b.d, SKIP d.e, SKIP REGEXP \'b.*\')', '
{"json" : {"a" : {"b" : {"c" : 1, "d" : [0, 1]}}, "b" : "2020-01-01", "c" : 42, "d" : {"e" : {"f" : ["s1", "s2"]}, "i" : [1, 2, 3]}}}
{"json" : {"a" : {"b" : {"c" : 2, "d" : [2, 3]}}, "b" : [1, 2, 3], "c" : null, "d" : {"e" : {"g" : 43}, "i" : [4, 5, 6]}}}
{"json" : {"a" : {"b" : {"c" : 3, "d" : [4, 5]}}, "b" : {"c" : 10}, "e" : "Hello, World!"}}
{"json" : {"a" : {"b" : {"c" : 4, "d" : [6, 7]}}, "c" : 43}}
{"json" : {"a" : {"b" : {"c" : 5, "d" : [8, 9]}}, "b" : {"c" : 11, "j" : [1, 2, 3]}, "d" : {"e" : {"f" : ["s3", "s4"], "g" : 44}, "h" : "2020-02-02 10:00:00"}}}
')
---->
SELECT json FROM format(TSV, 'json JSON(a.b.c UInt32, SKIP a.b.d, SKIP REGEXP \'b.*\')',
'{"a" : {"b" : {"c" : 1, "d" : [0, 1]}}, "b" : "2020-01-01", "c" : 42, "d" : {"e" : {"f" : ["s1", "s2"]}, "i" : [1, 2, 3]}}
{"a" : {"b" : {"c" : 2, "d" : [2, 3]}}, "b" : [1, 2, 3], "c" : null, "d" : {"e" : {"g" : 43}, "i" : [4, 5, 6]}}
{"a" : {"b" : {"c" : 3, "d" : [4, 5]}}, "b" : {"c" : 10}, "e" : "Hello, World!"}
{"a" : {"b" : {"c" : 4, "d" : [6, 7]}}, "c" : 43}
{"a" : {"b" : {"c" : 5, "d" : [8, 9]}}, "b" : {"c" : 11, "j" : [1, 2, 3]}, "d" : {"e" : {"f" : ["s3", "s4"], "g" : 44}, "h" : "2020-02-02 10:00:00"}}')
---->
SELECT json, JSONDynamicPaths(json), JSONSharedDataPaths(json) FROM format(JSONEachRow, 'json JSON(max_dynamic_paths=3)', '
{"json" : {"a" : {"b" : 42}, "c" : [1, 2, 3]}}
{"json" : {"a" : {"b" : 43}, "d" : "2020-01-01"}}
{"json" : {"a" : {"b" : 44}, "c" : [4, 5, 6]}}
{"json" : {"a" : {"b" : 43}, "d" : "2020-01-02", "e" : "Hello", "f" : {"g" : 42.42}}}
{"json" : {"a" : {"b" : 43}, "c" : [7, 8, 9], "f" : {"g" : 43.43}, "h" : "World"}}
')
---->
CREATE TABLE test (id UInt64, json JSON(max_dynamic_paths=3)) ENGINE=MergeTree ORDER BY id
---->
INSERT INTO test SELECT number, formatRow('JSONEachRow', number as a) FROM numbers(5)
---->
INSERT INTO test SELECT number, formatRow('JSONEachRow', number as b) FROM numbers(4)
---->
INSERT INTO test SELECT number, formatRow('JSONEachRow', number as c) FROM numbers(3)
---->
INSERT INTO test SELECT number, formatRow('JSONEachRow', number as d) FROM numbers(2)
---->
INSERT INTO test SELECT number, formatRow('JSONEachRow', number as e) FROM numbers(1)
---->
SELECT
    count(),
    groupArrayArrayDistinct(JSONDynamicPaths(json)) AS dynamic_paths,
    groupArrayArrayDistinct(JSONSharedDataPaths(json)) AS shared_data_paths,
    _part
FROM test
GROUP BY _part
ORDER BY _part ASC
---->
SELECT arrayJoin(distinctJSONPaths(json))
FROM s3('s3://clickhouse-public-datasets/gharchive/original/2020-01-01-*.json.gz', JSONAsObject)
---->
SELECT arrayJoin(distinctJSONPathsAndTypes(json))
FROM s3('s3://clickhouse-public-datasets/gharchive/original/2020-01-01-*.json.gz', JSONAsObject)
SETTINGS date_time_input_format = 'best_effort'
---->
CREATE TABLE test (json String) ENGINE=MergeTree ORDER BY tuple()
---->
INSERT INTO test VALUES ('{"a" : 42}'), ('{"a" : 43, "b" : "Hello"}'), ('{"a" : 44, "b" : [1, 2, 3]}'), ('{"c" : "2020-01-01"}')
---->
ALTER TABLE test MODIFY COLUMN json JSON
---->
SELECT json, json.a, json.b, json.c FROM test
---->
SET allow_experimental_json_lazy_type_hints = 1
---->
-- Create a table and insert data
CREATE TABLE test_lazy (json JSON) ENGINE = MergeTree ORDER BY tuple()
---->
INSERT INTO test_lazy VALUES ('{"user_id": "123", "score": "95.5"}')
---->
-- Enable experimental setting
SET allow_experimental_json_lazy_type_hints = 1
---->
-- Add type hints - this completes instantly without mutation
ALTER TABLE test_lazy MODIFY COLUMN json JSON(user_id UInt64, score Float64)
---->
-- Query the data - type hints are applied at read time
SELECT json.user_id, toTypeName(json.user_id), json.score, toTypeName(json.score) FROM test_lazy
---->
SELECT * FROM system.mutations WHERE table = 'test_lazy' AND NOT is_done
---->
CREATE TABLE test (json1 JSON, json2 JSON) ENGINE=Memory
---->
INSERT INTO test FORMAT JSONEachRow
{"json1" : {}, "json2" : {}}
{"json1" : {"a" : 42}, "json2" : {}}
{"json1" : {"a" : 42}, "json2" : {"a" : 41}}
{"json1" : {"a" : 42}, "json2" : {"a" : 42}}
{"json1" : {"a" : 42}, "json2" : {"a" : [1, 2, 3]}}
{"json1" : {"a" : 42}, "json2" : {"a" : "Hello"}}
{"json1" : {"a" : 42}, "json2" : {"b" : 42}}
{"json1" : {"a" : 42}, "json2" : {"a" : 42, "b" : 42}}
{"json1" : {"a" : 42}, "json2" : {"a" : 41, "b" : 42}}

SELECT json1, json2, json1 < json2, json1 = json2, json1 > json2 FROM test
---->
CREATE TABLE sensor_data
(
    data JSON(sensor_id UInt32),
    INDEX idx_sensor data.sensor_id TYPE minmax GRANULARITY 1,
    INDEX idx_location data.location::String TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY tuple()
SETTINGS index_granularity = 1
---->
INSERT INTO sensor_data SELECT toJSONString(map('sensor_id', number, 'location', 'room_' || toString(number))) FROM numbers(4)
---->
INSERT INTO sensor_data SELECT toJSONString(map('sensor_id', number, 'location', 'room_' || toString(number))) FROM numbers(4, 4)
---->
EXPLAIN indexes = 1 SELECT * FROM sensor_data WHERE data.sensor_id < 2
---->
EXPLAIN indexes = 1 SELECT * FROM sensor_data WHERE data.location::String = 'room_5'
---->
CREATE TABLE events
(
    data JSON,
    INDEX idx JSONAllPaths(data) TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO events VALUES ('{"user": {"name": "Alice"}, "action": "login"}')
---->
INSERT INTO events VALUES ('{"metric": {"cpu": 0.95}, "host": "srv1"}')
---->
EXPLAIN indexes = 1 SELECT * FROM events WHERE data.user.name = 'Alice'
---->
EXPLAIN indexes = 1 SELECT * FROM events WHERE data.nonexistent = 1
---->
EXPLAIN indexes = 1 SELECT * FROM events WHERE data.user.name IS NOT NULL
---->
SELECT SearchPhrase, count() AS c FROM test.hits GROUP BY SearchPhrase WITH TOTALS ORDER BY c DESC LIMIT 5 FORMAT JSON
---->
JSONAllPaths(json)
---->
CREATE TABLE test (json JSON(max_dynamic_paths=1)) ENGINE = Memory
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONAllPaths(json) FROM test
---->
JSONAllPathsWithTypes(json)
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONAllPathsWithTypes(json) FROM test
---->
JSONAllValues(json)
---->
INSERT INTO test FORMAT JSONEachRow {"json": {"a": 42}}, {"json": {"b": "Hello"}}, {"json": {"a": [1, 2, 3], "c": "2020-01-01"}}
SELECT json, JSONAllValues(json) FROM test
---->
JSONArrayLength(json)
---->
SELECT
    JSONArrayLength(''),
    JSONArrayLength('[1,2,3]')
---->
CREATE TABLE json_as_object (json JSON) ENGINE = Memory
---->
INSERT INTO json_as_object (json) FORMAT JSONAsObject {"foo":{"bar":{"x":"y"},"baz":1}},{},{"any json stucture":1}
SELECT * FROM json_as_object FORMAT JSONEachRow
---->
CREATE TABLE json_square_brackets (field JSON) ENGINE = Memory
---->
INSERT INTO json_square_brackets FORMAT JSONAsObject [{"id": 1, "name": "name1"}, {"id": 2, "name": "name2"}]
---->
SELECT * FROM json_square_brackets FORMAT JSONEachRow
---->
CREATE TABLE json_as_object (json JSON, time DateTime MATERIALIZED now()) ENGINE = Memory
---->
INSERT INTO json_as_object (json) FORMAT JSONAsObject {"foo":{"bar":{"x":"y"},"baz":1}}
---->
INSERT INTO json_as_object (json) FORMAT JSONAsObject {}
---->
INSERT INTO json_as_object (json) FORMAT JSONAsObject {"any json stucture":1}
SELECT time, json FROM json_as_object FORMAT JSONEachRow
---->
DROP TABLE IF EXISTS json_as_string
---->
CREATE TABLE json_as_string (json String) ENGINE = Memory
---->
INSERT INTO json_as_string (json) FORMAT JSONAsString {"foo":{"bar":{"x":"y"},"baz":1}},{},{"any json stucture":1}
SELECT * FROM json_as_string
---->
CREATE TABLE json_square_brackets (field String) ENGINE = Memory
---->
INSERT INTO json_square_brackets FORMAT JSONAsString [{"id": 1, "name": "name1"}, {"id": 2, "name": "name2"}]
---->
SELECT * FROM json_square_brackets
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONColumns
---->
SELECT *
FROM football
FORMAT JSONColumns
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompact
---->
SELECT *
FROM football
FORMAT JSONCompact
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompactColumns
---->
SELECT *
FROM football
FORMAT JSONCompactColumns
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompactEachRow
---->
SELECT *
FROM football
FORMAT JSONCompactEachRow
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompactEachRowWithNames
---->
SELECT *
FROM football
FORMAT JSONCompactEachRowWithNames
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompactEachRowWithNamesAndTypes
---->
SELECT *
FROM football
FORMAT JSONCompactEachRowWithNamesAndTypes
---->
SELECT *
FROM generateRandom('a Array(Int8), d Decimal32(4), c Tuple(DateTime64(3), UUID)', 1, 10, 2)
LIMIT 5
FORMAT JSONCompactEachRowWithProgress
---->
SELECT *
FROM football
FORMAT JSONCompactStrings
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompactStringsEachRow
---->
SELECT *
FROM football
FORMAT JSONCompactStringsEachRow
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompactStringsEachRowWithNames
---->
SELECT *
FROM football
FORMAT JSONCompactStringsEachRowWithNames
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONCompactStringsEachRowWithNamesAndTypes
---->
SELECT *
FROM football
FORMAT JSONCompactStringsEachRowWithNamesAndTypes
---->
SELECT *
FROM generateRandom('a Array(Int8), d Decimal32(4), c Tuple(DateTime64(3), UUID)', 1, 10, 2)
LIMIT 5
FORMAT JSONCompactStringsEachRowWithProgress
---->
JSONDynamicPaths(json)
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONDynamicPaths(json) FROM test
---->
JSONDynamicPathsWithTypes(json)
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONDynamicPathsWithTypes(json) FROM test
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONEachRow
---->
SELECT *
FROM football
FORMAT JSONEachRow
---->
SELECT JSONExtract('{"a": "hello", "b": [-100, 200.0, 300]}', 'Tuple(String, Array(Float64))') AS res
---->
SELECT JSONExtractArrayRaw('{"a": "hello", "b": [-100, 200.0, "hello"]}', 'b') AS res
---->
SELECT JSONExtractArrayRawCaseInsensitive('{"Items": [1, 2, 3]}', 'ITEMS')
---->
SELECT JSONExtractBool('{"passed": true}', 'passed') AS res
---->
SELECT JSONExtractBoolCaseInsensitive('{"IsActive": true}', 'isactive')
---->
SELECT JSONExtractCaseInsensitive('{"Number": 123}', 'number', 'Int32')
---->
SELECT JSONExtractCaseInsensitive('{"List": [1, 2, 3]}', 'list', 'Array(Int32)')
---->
SELECT JSONExtractFloat('{"a": "hello", "b": [-100, 200.0, 300]}', 'b', 2) AS res
---->
SELECT JSONExtractFloatCaseInsensitive('{"Price": 12.34}', 'PRICE')
---->
SELECT JSONExtractInt('{"a": "hello", "b": [-100, 200.0, 300]}', 'b', 1) AS res
---->
SELECT JSONExtractIntCaseInsensitive('{"Value": 123}', 'value')
---->
SELECT JSONExtractIntCaseInsensitive('{"DATA": {"COUNT": 42}}', 'data', 'Count')
---->
SELECT JSONExtractKeys('{"a": "hello", "b": [-100, 200.0, 300]}') AS res
---->
SELECT JSONExtractKeysAndValues('{"x": {"a": 5, "b": 7, "c": 11}}', 'x', 'Int8') AS res
---->
SELECT JSONExtractKeysAndValuesCaseInsensitive('{"Name": "Alice", "AGE": 30}', 'String')
---->
SELECT JSONExtractKeysAndValuesRaw('{"a": [-100, 200.0], "b": "hello"}') AS res
---->
SELECT JSONExtractKeysAndValuesRawCaseInsensitive('{"Name": "Alice", "AGE": 30}')
---->
SELECT JSONExtractKeysCaseInsensitive('{"Name": "Alice", "AGE": 30}')
---->
SELECT JSONExtractKeysCaseInsensitive('{"User": {"name": "John", "AGE": 25}}', 'user')
---->
SELECT JSONExtractRaw('{"a": "hello", "b": [-100, 200.0, 300]}', 'b') AS res
---->
SELECT JSONExtractRawCaseInsensitive('{"Object": {"key": "value"}}', 'OBJECT')
---->
SELECT JSONExtractString('{"a": "hello", "b": [-100, 200.0, 300]}', 'a') AS res
---->
SELECT JSONExtractStringCaseInsensitive('{"ABC": "def"}', 'abc')
---->
SELECT JSONExtractStringCaseInsensitive('{"User": {"Name": "John"}}', 'user', 'name')
---->
SELECT JSONExtractUInt('{"a": "hello", "b": [-100, 200.0, 300]}', 'b', -1) AS res
---->
SELECT JSONExtractUIntCaseInsensitive('{"COUNT": 789}', 'count')
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', 'b') = 1
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', 'b', 4) = 0
---->
SELECT JSONKey('{"a": "hello", "b": [-100, 200.0, 300]}', 1)
---->
SELECT JSONLength('{"a": "hello", "b": [-100, 200.0, 300]}', 'b') = 3
---->
SELECT JSONLength('{"a": "hello", "b": [-100, 200.0, 300]}') = 2
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONLines
---->
SELECT *
FROM football
FORMAT JSONLines
---->
SELECT JSONMergePatch('{"a":1}', '{"name": "joey"}', '{"name": "tom"}', '{"name": "zoey"}') AS res
---->
SELECT * FROM test SETTINGS format_json_object_each_row_column_for_object_name='object_name'
---->
SELECT * FROM file('data.json', JSONObjectEachRow, 'object_name String, number UInt64') SETTINGS format_json_object_each_row_column_for_object_name='object_name'
---->
INSERT INTO UserActivity FORMAT JSONEachRow {"PageViews":5, "UserID":"4324182021466249494", "Duration":146,"Sign":-1} {"UserID":"4324182021466249494","PageViews":6,"Duration":185,"Sign":1}
---->
CREATE TABLE IF NOT EXISTS example_table
(
    x UInt32,
    a DEFAULT x * 2
) ENGINE = Memory
---->
CREATE TABLE json_each_row_nested (n Nested (s String, i Int32) ) ENGINE = Memory
---->
INSERT INTO json_each_row_nested FORMAT JSONEachRow {"n.s": ["abc", "def"], "n.i": [1, 23]}
---->
SELECT name, value FROM system.settings WHERE name = 'input_format_import_nested_json'
---->
INSERT INTO json_each_row_nested FORMAT JSONEachRow {"n": {"s": ["abc", "def"], "i": [1, 23]}}
---->
JSONSharedDataPaths(json)
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONSharedDataPaths(json) FROM test
---->
JSONSharedDataPathsWithTypes(json)
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONSharedDataPathsWithTypes(json) FROM test
---->
SELECT *
FROM football
FORMAT JSONStrings
---->
INSERT INTO football FROM INFILE 'football.json' FORMAT JSONStringsEachRow
---->
SELECT *
FROM football
FORMAT JSONStringsEachRow
---->
SELECT JSONType('{"a": "hello", "b": [-100, 200.0, 300]}') = 'Object'
---->
SELECT JSONType('{"a": "hello", "b": [-100, 200.0, 300]}', 'a') = 'String'
---->
SELECT JSONType('{"a": "hello", "b": [-100, 200.0, 300]}', 'b') = 'Array'
---->
JSON_EXISTS(json, path)
---->
SELECT JSON_EXISTS('{"hello":1}', '$.hello')
---->
SELECT JSON_EXISTS('{"hello":{"world":1}}', '$.hello.world')
---->
SELECT JSON_EXISTS('{"hello":["world"]}', '$.hello[*]')
---->
SELECT JSON_EXISTS('{"hello":["world"]}', '$.hello[0]')
---->
JSON_QUERY(json, path)
---->
SELECT JSON_QUERY('{"hello":"world"}', '$.hello')
---->
SELECT JSON_QUERY('{"array":[[0, 1, 2, 3, 4, 5], [0, -1, -2, -3, -4, -5]]}', '$.array[*][0 to 2, 4]')
---->
SELECT JSON_QUERY('{"hello":2}', '$.hello')
---->
SELECT toTypeName(JSON_QUERY('{"hello":2}', '$.hello'))
---->
JSON_VALUE(json, path)
---->
SELECT JSON_VALUE('{"hello":"world"}', '$.hello')
---->
SELECT JSON_VALUE('{"array":[[0, 1, 2, 3, 4, 5], [0, -1, -2, -3, -4, -5]]}', '$.array[*][0 to 2, 4]')
---->
SELECT JSON_VALUE('{"hello":2}', '$.hello')
---->
SELECT JSON_VALUE('{"hello":"world"}', '$.b') settings function_json_value_return_type_allow_nullable=true
---->
CREATE TABLE id_val(`id` UInt32, `val` UInt32) ENGINE = TinyLog
---->
INSERT INTO id_val VALUES (1,11), (2,12), (3,13)
---->
CREATE TABLE id_val_join(`id` UInt32, `val` UInt8) ENGINE = Join(ANY, LEFT, id)
---->
INSERT INTO id_val_join VALUES (1,21), (1,22), (3,23)
---->
SELECT * FROM id_val ANY LEFT JOIN id_val_join USING (id)
---->
SELECT joinGet('id_val_join', 'val', toUInt32(1))
---->
ALTER TABLE id_val_join DELETE WHERE id = 3
---->
CREATE TABLE queue (
    timestamp UInt64,
    level String,
    message String
  ) ENGINE = Kafka('localhost:9092', 'topic', 'group1', 'JSONEachRow')
---->
SELECT * FROM queue LIMIT 5
---->
CREATE TABLE queue2 (
    timestamp UInt64,
    level String,
    message String
  ) ENGINE = Kafka SETTINGS kafka_broker_list = 'localhost:9092',
                            kafka_topic_list = 'topic',
                            kafka_group_name = 'group1',
                            kafka_format = 'JSONEachRow',
                            kafka_num_consumers = 4
---->
CREATE TABLE queue3 (
    timestamp UInt64,
    level String,
    message String
  ) ENGINE = Kafka('localhost:9092', 'topic', 'group1')
              SETTINGS kafka_format = 'JSONEachRow',
                       kafka_num_consumers = 4
---->
CREATE NAMED COLLECTION kafka_creds AS
    kafka_broker_list = 'localhost:9092',
    kafka_topic_list = 'topic',
    kafka_group_name = 'group1',
    kafka_format = 'JSONEachRow'
---->
CREATE TABLE queue (
    timestamp UInt64,
    level String,
    message String
  ) ENGINE = Kafka(kafka_creds)
---->
CREATE MATERIALIZED VIEW consumer TO daily
    AS SELECT toDate(toDateTime(timestamp)) AS day, level, count() AS total
    FROM queue GROUP BY day, level
---->
CREATE TABLE msk_queue (
    timestamp UInt64,
    level String,
    message String
) ENGINE = Kafka()
SETTINGS
    kafka_broker_list = 'b-1.mycluster.kafka.us-east-1.amazonaws.com:9098',
    kafka_topic_list = 'my-topic',
    kafka_group_name = 'my-group',
    kafka_format = 'JSONEachRow',
    kafka_sasl_mechanism = 'AWS_MSK_IAM'
---->
CREATE TABLE msk_privatelink_queue (
    timestamp UInt64,
    level String,
    message String
) ENGINE = Kafka()
SETTINGS
    kafka_broker_list = 'my-privatelink-alias.internal.example.com:9098',
    kafka_topic_list = 'my-topic',
    kafka_group_name = 'my-group',
    kafka_format = 'JSONEachRow',
    kafka_sasl_mechanism = 'AWS_MSK_IAM',
    kafka_aws_region = 'us-east-1'
---->
CREATE TABLE kafka_out
(
    event_json String,
    `_key` String,
    `_timestamp` DateTime,
    `_headers.name` Array(String),
    `_headers.value` Array(String)
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = 'broker:9092',
    kafka_topic_list = 'events',
    kafka_group_name = 'events-producer',
    kafka_format = 'JSONEachRow',
    kafka_map_virtual_columns_on_write = 1
---->
INSERT INTO kafka_out VALUES
    ('{"a":1}', 'session-42', now(), ['source', 'trace_id'], ['api', 'abc-123'])
---->
CREATE TABLE experimental_kafka (key UInt64, value UInt64)
ENGINE = Kafka('localhost:19092', 'my-topic', 'my-consumer', 'JSONEachRow')
SETTINGS
kafka_keeper_path = '/clickhouse/{database}/{uuid}',
kafka_replica_name = '{replica}'
SETTINGS allow_experimental_kafka_offsets_storage_in_keeper=1
---->
CREATE TABLE keeper_map_table
(
    `key` String,
    `v1` UInt32,
    `v2` String,
    `v3` Float32
)
ENGINE = KeeperMap('/keeper_map_table', 4)
PRIMARY KEY key
---->
INSERT INTO keeper_map_table VALUES ('some key', 1, 'value', 3.2)
---->
DELETE FROM keeper_map_table WHERE key LIKE 'some%' AND v1 > 1
---->
ALTER TABLE keeper_map_table DELETE WHERE key LIKE 'some%' AND v1 > 1
---->
TRUNCATE TABLE keeper_map_table
---->
ALTER TABLE keeper_map_table UPDATE v1 = v1 * 10 + 2 WHERE key LIKE 'some%' AND v3 > 3.1
---->
L1Distance(vector1, vector2)
---->
SELECT L1Distance((1, 2), (2, 3))
---->
L1Norm(vector)
---->
SELECT L1Norm((1, 2))
---->
L1Normalize(tuple)
---->
SELECT L1Normalize((1, 2))
---->
L2Distance(vector1, vector2)
---->
SELECT L2Distance((1, 2), (2, 3))
---->
CREATE TABLE qbit (id UInt32, vec QBit(Float64, 2)) ENGINE = Memory
---->
INSERT INTO qbit VALUES (1, [0, 1])
---->
SELECT L2DistanceTransposed(vec, array(1, 2), 16) FROM qbit
---->
CREATE TABLE qbit (id UInt32, vec QBit(Int8, 2)) ENGINE = Memory
---->
INSERT INTO qbit VALUES (1, arrayMap(x -> quantizeBFloat16ToInt8(x), [0.1, -0.5]::Array(BFloat16)))
---->
SELECT L2DistanceTransposedQuantized(vec, [0.1, -0.5]::Array(Float32), 8) FROM qbit
---->
L2Norm(vector)
---->
SELECT L2Norm((1, 2))
---->
L2Normalize(tuple)
---->
SELECT L2Normalize((3, 4))
---->
L2SquaredDistance(vector1, vector2)
---->
SELECT L2SquaredDistance([1, 2, 3], [0, 0, 0])
---->
L2SquaredNorm(vector)
---->
SELECT L2SquaredNorm((1, 2))
---->
DROP TABLE IF EXISTS line_as_string
---->
CREATE TABLE line_as_string (field String) ENGINE = Memory
---->
INSERT INTO line_as_string FORMAT LineAsString "I love apple", "I love banana", "I love orange"
---->
SELECT * FROM line_as_string
---->
CREATE TABLE example (
    name String,
    value Int32
)
ENGINE = Memory
---->
INSERT INTO example VALUES ('John', 30), ('Jane', 25), ('Peter', 35)
---->
SELECT * FROM example FORMAT LineAsStringWithNames
---->
SELECT * FROM example FORMAT LineAsStringWithNamesAndTypes
---->
LineString
---->
LinfDistance(vector1, vector2)
---->
SELECT LinfDistance((1, 2), (2, 3))
---->
LinfNorm(vector)
---->
SELECT LinfNorm((1, -2))
---->
LinfNormalize(tuple)
---->
SELECT LinfNormalize((3, 4))
---->
CREATE TABLE log_table
(
    timestamp DateTime,
    message_type String,
    message String
)
ENGINE = Log
---->
INSERT INTO log_table VALUES (now(),'REGULAR','The first regular message')
INSERT INTO log_table VALUES (now(),'REGULAR','The second regular message'),(now(),'WARNING','The first warning message')
---->
SELECT * FROM log_table
---->
SELECT * FROM log_table ORDER BY timestamp
---->
SELECT * FROM loop(database, table)
---->
LowCardinality(data_type)
---->
CREATE TABLE lc_t
(
    `id` UInt16,
    `strings` LowCardinality(String)
)
ENGINE = MergeTree()
ORDER BY id
---->
LpDistance(vector1, vector2, p)
---->
SELECT LpDistance((1, 2), (2, 3), 3)
---->
LpNorm(vector, p)
---->
SELECT LpNorm((1, -2), 2)
---->
LpNormalize(tuple, p)
---->
SELECT LpNormalize((3, 4), 5)
---->
MACNumToString(num)
---->
SELECT MACNumToString(149809441867716) AS mac_address
---->
MACStringToNum(s)
---->
SELECT MACStringToNum('01:02:03:04:05:06') AS mac_numeric
---->
MACStringToOUI(s)
---->
SELECT MACStringToOUI('00:50:56:12:34:56') AS oui
---->
MD4(s)
---->
SELECT HEX(MD4('abc'))
---->
MD5(s)
---->
SELECT HEX(MD5('abc'))
---->
MGRSToGeo(mgrs)
---->
SELECT MGRSToGeo('31UDQ4825111935')
---->
SELECT MVTBoundingBox(0, 0, 0) AS bbox
---->
SELECT MVTBoundingBoxMercator(1, 0, 0) AS bbox
---->
SELECT MVTEncode('points')(geom, tuple(cluster_count)::Tuple(cluster_count UInt64)) AS tile
FROM
(
    SELECT MVTEncodeGeom((lon, lat)::Point, 10, 550, 335) AS geom, count() AS cluster_count
    FROM points
    GROUP BY geom
)
SETTINGS allow_suspicious_types_in_group_by = 1
---->
SELECT MVTEncodeGeom((13.37, 52.52)::Point, 10, 550, 335)
---->
CREATE TABLE tab (m Map(String, UInt64)) ENGINE=Memory
---->
INSERT INTO tab VALUES ({'key1':1, 'key2':10}), ({'key1':2,'key2':20}), ({'key1':3,'key2':30})
---->
SELECT m['key2'] FROM tab
---->
INSERT INTO tab VALUES ({'key1':100}), ({})
---->
SELECT m['key1'] FROM tab
---->
SELECT CAST(([1, 2, 3], ['Ready', 'Steady', 'Go']), 'Map(UInt8, String)') AS map
---->
CREATE TABLE tab (m Map(String, UInt64)) ENGINE = Memory
---->
INSERT INTO tab VALUES (map('key1', 1, 'key2', 2, 'key3', 3))
---->
SELECT m.keys FROM tab
---->
--   same as mapKeys(m)
SELECT m.values FROM tab
---->
CREATE TABLE tab (id UInt64, m Map(String, UInt64))
ENGINE = MergeTree ORDER BY id
SETTINGS
    map_serialization_version = 'with_buckets',
    max_buckets_in_map = 32,
    map_buckets_strategy = 'sqrt'
---->
CREATE TABLE tab (id UInt64, m Map(String, UInt64))
ENGINE = MergeTree ORDER BY id
SETTINGS
    map_serialization_version = 'with_buckets',
    map_serialization_version_for_zero_level_parts = 'basic',
    max_buckets_in_map = 32,
    map_buckets_strategy = 'sqrt'
---->
CREATE TABLE tab (
    id UInt64,
    m0 Map(String, UInt64),
    m1 Map(String, UInt64),
    m2 Map(String, UInt64),
    m3 Map(String, UInt64)
) ENGINE = MergeTree ORDER BY id
---->
SELECT
    number,
    number * 2
FROM numbers(5)
FORMAT Markdown
---->
SET allow_experimental_database_materialized_postgresql=1
---->
CREATE DATABASE postgres_db
ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgres_user', 'postgres_password')
---->
SHOW TABLES FROM postgres_db
---->
ATTACH TABLE postgres_database.new_table
---->
DETACH TABLE postgres_database.table_to_remove PERMANENTLY
---->
CREATE DATABASE postgres_database
ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgres_user', 'postgres_password')
SETTINGS materialized_postgresql_schema = 'postgres_schema'
---->
SELECT * FROM postgres_database.table1
---->
CREATE DATABASE database1
ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgres_user', 'postgres_password')
SETTINGS materialized_postgresql_tables_list = 'schema1.table1,schema2.table2,schema1.table3',
         materialized_postgresql_tables_list_with_schema = 1
---->
SELECT * FROM database1.`schema1.table1`
---->
SELECT * FROM database1.`schema2.table2`
---->
CREATE DATABASE database1
ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgres_user', 'postgres_password')
SETTINGS materialized_postgresql_schema_list = 'schema1,schema2,schema3'
---->
SELECT * FROM database1.`schema1.table2`
---->
CREATE DATABASE database1
ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgres_user', 'postgres_password')
SETTINGS materialized_postgresql_tables_list = 'table1,table2,table3'
---->
SELECT * FROM database1.table1
---->
BEGIN
---->
SELECT pg_export_snapshot()
---->
CREATE DATABASE demodb
    ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgres_user', 'postgres_password')
    SETTINGS
      materialized_postgresql_replication_slot = 'clickhouse_sync',
      materialized_postgresql_snapshot = '0000000A-0000023F-3',
      materialized_postgresql_tables_list = 'table1,table2,table3'
---->
BACKUP DATABASE postgres_db TO Disk('backups', 'postgres_db.zip')
---->
RESTORE TABLE postgres_db.table1 AS restored_db.table1
    FROM Disk('backups', 'postgres_db.zip')
    SETTINGS allow_different_table_def = 1
---->
RESTORE TABLE src AS existing_replacing_mergetree
    FROM Disk('backups', 'table.zip')
    SETTINGS allow_different_table_def = 1
---->
SET allow_experimental_materialized_postgresql_table=1
---->
CREATE TABLE postgresql_db.postgresql_replica (key UInt64, value UInt64)
ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgresql_table', 'postgres_user', 'postgres_password')
PRIMARY KEY key
---->
CREATE TABLE postgresql_db.postgresql_replica (key UInt64, value UInt64)
ENGINE = MaterializedPostgreSQL('postgres1:5432', 'postgres_database', 'postgresql_replica', 'postgres_user', 'postgres_password')
PRIMARY KEY key
---->
SELECT key, value, _version FROM postgresql_db.postgresql_replica
---->
CREATE TABLE memory (i UInt32) ENGINE = Memory SETTINGS min_rows_to_keep = 100, max_rows_to_keep = 1000
---->
ALTER TABLE memory MODIFY SETTING min_rows_to_keep = 100, max_rows_to_keep = 1000
---->
CREATE TABLE memory (i UInt32) ENGINE = Memory SETTINGS min_bytes_to_keep = 4096, max_bytes_to_keep = 16384
---->
/* 1. testing oldest block doesn't get deleted due to min-threshold - 3000 rows */
INSERT INTO memory SELECT * FROM numbers(0, 1600)
---->
-- 8'192 bytes

/* 2. adding block that doesn't get deleted */
INSERT INTO memory SELECT * FROM numbers(1000, 100)
---->
-- 1'024 bytes

/* 3. testing oldest block gets deleted - 9216 bytes - 1100 */
INSERT INTO memory SELECT * FROM numbers(9000, 1000)
---->
-- 8'192 bytes

/* 4. checking a very large block overrides all */
INSERT INTO memory SELECT * FROM numbers(9000, 10000)
---->
-- 65'536 bytes

SELECT total_bytes, total_rows FROM system.tables WHERE name = 'memory' AND database = currentDatabase()
---->
CREATE TABLE memory (i UInt32) ENGINE = Memory SETTINGS min_rows_to_keep = 4000, max_rows_to_keep = 10000
---->
-- 1'600 rows

/* 2. adding block that doesn't get deleted */
INSERT INTO memory SELECT * FROM numbers(1000, 100)
---->
-- 100 rows

/* 3. testing oldest block gets deleted - 9216 bytes - 1100 */
INSERT INTO memory SELECT * FROM numbers(9000, 1000)
---->
-- 1'000 rows

/* 4. checking a very large block overrides all */
INSERT INTO memory SELECT * FROM numbers(9000, 10000)
---->
-- 10'000 rows

SELECT total_bytes, total_rows FROM system.tables WHERE name = 'memory' AND database = currentDatabase()
---->
ENGINE = Memory
---->
CREATE TABLE all_visitors (id UInt32) ENGINE=Merge(REGEXP('ABC_*'), 'visitors')
---->
CREATE TABLE WatchLog_old(
    date Date,
    UserId Int64,
    EventType String,
    Cnt UInt64
)
ENGINE=MergeTree
ORDER BY (date, UserId, EventType)
---->
INSERT INTO WatchLog_old VALUES ('2018-01-01', 1, 'hit', 3)
---->
CREATE TABLE WatchLog_new(
    date Date,
    UserId Int64,
    EventType String,
    Cnt UInt64
)
ENGINE=MergeTree
PARTITION BY date
ORDER BY (UserId, EventType)
SETTINGS index_granularity=8192
---->
INSERT INTO WatchLog_new VALUES ('2018-01-02', 2, 'hit', 3)
---->
CREATE TABLE WatchLog AS WatchLog_old ENGINE=Merge(currentDatabase(), '^WatchLog')
---->
SELECT * FROM WatchLog
---->
MergeTree(EventDate, intHash32(UserID), (CounterID, EventDate, intHash32(UserID)), 8192)
---->
SELECT count() FROM table WHERE CounterID = 34 OR URL LIKE '%upyachka%'
---->
ENGINE = MergeTree()
ORDER BY length(user_id)
---->
SELECT * FROM table WHERE user_id = 'alice'
---->
SELECT * FROM table WHERE user_id IN ('alice', 'bob')
---->
SELECT * FROM table WHERE has(['alice', 'bob'], user_id)
---->
ENGINE = MergeTree()
ORDER BY hex(p)
---->
ENGINE = MergeTree()
ORDER BY reverse(tuple(reverse(p), hex(p)))
---->
SELECT * FROM table WHERE p != 'abc'
---->
SELECT * FROM table WHERE p NOT IN ('abc', '12345')
---->
SELECT * FROM table WHERE NOT has(['abc', '12345'], p)
---->
SELECT count() FROM table WHERE u64 == 10
---->
--- estimate number of bits in the filter
SELECT bfEstimateBmSize(4300, 0.0001) / 8 AS size_of_bloom_filter_in_bytes
---->
CREATE TABLE example
(
    id UInt64,
    region String,
    user_id UInt32,
    PROJECTION region_proj INDEX region TYPE basic,
    PROJECTION uid_proj INDEX user_id TYPE basic
)
ENGINE = MergeTree
ORDER BY id
---->
CREATE TABLE tab
(
    d DateTime,
    a Int TTL d + INTERVAL 1 MONTH,
    b Int TTL d + INTERVAL 1 MONTH,
    c String
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(d)
ORDER BY d
---->
ALTER TABLE tab
    MODIFY COLUMN
    c String TTL d + INTERVAL 1 DAY
---->
ALTER TABLE tab
    MODIFY COLUMN
    c String TTL d + INTERVAL 1 MONTH
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
ALTER TABLE tab
    MODIFY TTL d + INTERVAL 1 DAY
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
CREATE TABLE table_for_aggregation
(
    d DateTime,
    k1 Int,
    k2 Int,
    x Int,
    y Int
)
ENGINE = MergeTree
ORDER BY (k1, k2)
TTL d + INTERVAL 1 MONTH GROUP BY k1, k2 SET x = max(x), y = min(y)
---->
CREATE TABLE table_with_non_default_policy (
    EventDate Date,
    OrderID UInt64,
    BannerID UInt64,
    SearchPhrase String
) ENGINE = MergeTree
ORDER BY (OrderID, BannerID)
PARTITION BY toYYYYMM(EventDate)
SETTINGS storage_policy = 'moving_from_ssd_to_hdd'
---->
CREATE TABLE tab
(
    a Int64 STATISTICS(tdigest, uniq),
    b Float64
)
ENGINE = MergeTree
ORDER BY a
---->
ALTER TABLE tab ADD STATISTICS b TYPE tdigest, uniq
---->
ALTER TABLE tab DROP STATISTICS a
---->
-- Create a table with basic statistics on the 'value' column
CREATE TABLE test_stats
(
    id UInt64,
    value Int64 STATISTICS(basic)
)
ENGINE = MergeTree
ORDER BY id
---->
SYSTEM STOP MERGES test_stats
---->
-- Insert data in separate inserts to create multiple parts
INSERT INTO test_stats SELECT number, number FROM numbers(1000)
---->
-- Part 1: value range [0, 999]
INSERT INTO test_stats SELECT number, number + 10000 FROM numbers(1000)
---->
-- Part 2: value range [10000, 10999]

SET use_statistics_for_part_pruning = 1
---->
-- This query will skip Part 1 entirely because its max value (999) < 5000
SELECT count() FROM test_stats WHERE value > 5000
---->
-- Use EXPLAIN to see the pruning effect
EXPLAIN indexes = 1 SELECT count() FROM test_stats WHERE value > 5000
---->
CREATE TABLE tab
(
    id Int64,
    document String SETTINGS (min_compress_block_size = 16777216, max_compress_block_size = 16777216)
)
ENGINE = MergeTree
ORDER BY id
---->
ALTER TABLE tab MODIFY COLUMN document REMOVE SETTINGS
---->
ALTER TABLE tab MODIFY COLUMN document MODIFY SETTING min_compress_block_size = 8192
---->
ALTER TABLE tab MODIFY COLUMN document RESET SETTING min_compress_block_size
---->
CREATE TABLE sample_oid
(
    _id String,
    another_oid_column String
) ENGINE = MongoDB('mongodb://user:pass@host/db', 'sample_oid')
---->
SELECT count() FROM sample_oid WHERE _id = '67bf6cc44ebc466d33d42fb2'
---->
--will output 1.
SELECT count() FROM sample_oid WHERE another_oid_column = '67bf6cc40000000000ea41b1'
---->
CREATE TABLE sample_oid
(
    _id String,
    another_oid_column String
) ENGINE = MongoDB('mongodb://user:pass@host/db', 'sample_oid', '_id,another_oid_column')
---->
-- or

CREATE TABLE sample_oid
(
    _id String,
    another_oid_column String
) ENGINE = MongoDB('host', 'db', 'sample_oid', 'user', 'pass', '', '_id,another_oid_column')
---->
SELECT count() FROM sample_oid WHERE another_oid_column = '67bf6cc40000000000ea41b1'
---->
SELECT * FROM mongo_table WHERE date = '2024-01-01'
---->
SELECT * FROM mongo_table WHERE date = '2024-01-01'::Date OR date = toDate('2024-01-01')
---->
CREATE TABLE sample_mflix_table
(
    _id String,
    title String,
    plot String,
    genres Array(String),
    directors Array(String),
    writers Array(String),
    released Date,
    imdb String,
    year String
) ENGINE = MongoDB('mongodb://<USERNAME>:<PASSWORD>@atlas-sql-6634be87cefd3876070caf96-98lxs.a.query.mongodb.net/sample_mflix?ssl=true&authSource=admin', 'movies')
---->
SELECT count() FROM sample_mflix_table
---->
-- JSONExtractString cannot be pushed down to MongoDB
SET mongodb_throw_on_unsupported_query = 0
---->
-- Find all 'Back to the Future' sequels with rating > 7.5
SELECT title, plot, genres, directors, released FROM sample_mflix_table
WHERE title IN ('Back to the Future', 'Back to the Future Part II', 'Back to the Future Part III')
    AND toFloat32(JSONExtractString(imdb, 'rating')) > 7.5
ORDER BY year
FORMAT Vertical
---->
-- Find top 3 movies based on Cormac McCarthy's books
SELECT title, toFloat32(JSONExtractString(imdb, 'rating')) AS rating
FROM sample_mflix_table
WHERE arrayExists(x -> x LIKE 'Cormac McCarthy%', writers)
ORDER BY rating DESC
LIMIT 3
---->
MultiLineString
---->
MultiPolygon
---->
CREATE DATABASE mysql_db
ENGINE = MySQL('localhost:3306', 'test', 'my_user', 'user_password')
SETTINGS enable_compression = 1
---->
SELECT @@version
---->
CREATE DATABASE mysql_db ENGINE = MySQL('localhost:3306', 'test', 'my_user', 'user_password') SETTINGS read_write_timeout=10000, connect_timeout=100
---->
SHOW DATABASES
---->
SHOW TABLES FROM mysql_db
---->
SELECT * FROM mysql_db.mysql_table
---->
INSERT INTO mysql_db.mysql_table VALUES (3,4)
---->
CREATE TABLE mysql_table ENGINE = MySQL('localhost:3306', 'test', (SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0), 'user', 'password')
---->
CREATE TABLE mysql_table ENGINE = MySQL('localhost:3306', 'test', query('SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0'), 'user', 'password')
---->
CREATE TABLE test_replicas (id UInt32, name String, age UInt32, money UInt32) ENGINE = MySQL(`mysql{2|3|4}:3306`, 'clickhouse', 'test_replicas', 'root', 'clickhouse')
---->
CREATE TABLE mysql_table
(
    `float_nullable` Nullable(Float32),
    `int_id` Int32
)
ENGINE = MySQL('localhost:3306', 'test', 'test', 'bayonet', '123')
---->
CREATE NAMED COLLECTION creds AS
        host = 'localhost',
        port = 3306,
        database = 'test',
        user = 'bayonet',
        password = '123'
---->
CREATE TABLE mysql_table
(
    `float_nullable` Nullable(Float32),
    `int_id` Int32
)
ENGINE = MySQL(creds, table='test')
---->
SELECT * FROM mysql_table
---->
CREATE TABLE mysql_engine_compression
(
    id UInt32,
    name String,
    age UInt32,
    money UInt32
)
ENGINE = MySQL('mysql80:3306', 'clickhouse', 'test_table', 'root', 'password')
SETTINGS enable_compression = 1
---->
INSERT INTO `test` VALUES (1,NULL),(2,NULL),(3,NULL),(3,NULL),(4,NULL),(5,NULL),(6,7)
---->
INSERT INTO `test 3` VALUES (1)
---->
INSERT INTO `test2` VALUES (1),(2),(3)
---->
DESCRIBE TABLE file(dump.sql, MySQLDump) 
SETTINGS input_format_mysql_dump_table_name = 'test2'
---->
SELECT *
FROM file(dump.sql, MySQLDump)
SETTINGS input_format_mysql_dump_table_name = 'test2'
---->
SELECT
    Goals.ID,
    Goals.EventTime
FROM test.visits
WHERE CounterID = 101500 AND length(Goals.ID) < 5
LIMIT 10
---->
SELECT
    Goal.ID,
    Goal.EventTime
FROM test.visits
ARRAY JOIN Goals AS Goal
WHERE CounterID = 101500 AND length(Goals.ID) < 5
LIMIT 10
---->
SELECT toTypeName(array())
---->
Nothing
---->
SELECT *
FROM file('example_array.npy', Npy)
---->
SELECT *
FROM football
FORMAT Null
---->
ENGINE = Null
---->
CREATE TABLE nullable (`n` Nullable(UInt32)) ENGINE = MergeTree ORDER BY tuple()
---->
INSERT INTO nullable VALUES (1) (NULL) (2) (NULL)
---->
SELECT n.null FROM nullable
---->
CREATE TABLE t_null(x Int8, y Nullable(Int8)) ENGINE TinyLog
---->
INSERT INTO t_null VALUES (1, NULL), (2, 3)
---->
SELECT x + y FROM t_null
---->
CREATE TABLE odbc_t
(
    `int_id` Int32,
    `float_nullable` Nullable(Float32)
)
ENGINE = ODBC('DSN=mysqlconn', 'test', 'test')
---->
SELECT * FROM odbc_t
---->
INSERT INTO football FROM INFILE 'football.orc' FORMAT ORC
---->
SELECT *
FROM football
INTO OUTFILE 'football.orc'
FORMAT ORC
---->
SELECT _file FROM file('path/to/files/data*', One)
---->
ENGINE = Ordinary
---->
SELECT
    toUInt8(x * 25) AS r,
    toUInt8(y * 25) AS g,
    toUInt8((x + y) * 12) AS b
FROM
(
    SELECT number % 10 AS x, intDiv(number, 10) AS y FROM numbers(100)
)
INTO OUTFILE 'gradient.png'
FORMAT PNG
SETTINGS output_format_image_width = 10, output_format_image_height = 10
---->
SELECT
    toInt32(x) AS x,
    toInt32(y) AS y,
    toUInt8(intensity) AS v
FROM points
INTO OUTFILE 'points.png'
FORMAT PNG
SETTINGS output_format_image_width = 512, output_format_image_height = 512
---->
SELECT toUInt8(x * 25) AS r, toUInt8(y * 25) AS g, toUInt8((x + y) * 12) AS b
FROM (SELECT number % 10 AS x, intDiv(number, 10) AS y FROM numbers(100))
FORMAT PNG
SETTINGS output_format_image_width = 10, output_format_image_height = 10, output_format_image_terminal_mode = 'auto'
---->
SET allow_experimental_paimon_storage_engine = 1
---->
CREATE TABLE paimon_table ENGINE=PaimonS3('http://test.s3.amazonaws.com/clickhouse-bucket/test_table', 'test', 'test')
---->
CREATE TABLE paimon_table ENGINE=PaimonS3(paimon_conf, filename = 'test_table')
---->
SET use_paimon_metadata_files_cache = 1
---->
CREATE TABLE paimon_cached
ENGINE = PaimonS3(paimon_conf, filename = 'paimon_all_types')
---->
CREATE TABLE paimon_inc
ENGINE = PaimonS3(paimon_conf, filename = 'paimon_all_types')
SETTINGS
    paimon_incremental_read = 1,
    paimon_keeper_path = '/clickhouse/{database}/{uuid}',
    paimon_replica_name = '{replica}'
---->
SELECT count()
FROM paimon_inc
SETTINGS paimon_target_snapshot_id = 1
---->
SELECT count()
FROM paimon_inc
SETTINGS max_consume_snapshots = 2
---->
-- Local storage
CREATE TABLE paimon_mv_source
ENGINE = PaimonLocal('/path/to/paimon/table')
SETTINGS
    paimon_incremental_read = 1,
    paimon_keeper_path = '/clickhouse/tables/{uuid}',
    paimon_replica_name = '{replica}',
    paimon_metadata_refresh_interval_sec = 1
---->
-- S3 storage (the `Paimon` engine defaults to the S3 implementation when no `disk` is specified)
CREATE TABLE paimon_mv_source
ENGINE = Paimon('http://minio:9000/bucket/path/to/table', 'access_key', 'secret_key')
SETTINGS
    paimon_incremental_read = 1,
    paimon_keeper_path = '/clickhouse/tables/{uuid}',
    paimon_replica_name = '{replica}',
    paimon_metadata_refresh_interval_sec = 1
---->
CREATE TABLE paimon_mv_dest AS paimon_mv_source
ENGINE = MergeTree()
ORDER BY tuple()
---->
CREATE MATERIALIZED VIEW paimon_mv
REFRESH EVERY 10 SECOND
APPEND
TO paimon_mv_dest
AS SELECT * FROM paimon_mv_source
---->
SYSTEM STOP VIEW paimon_mv
---->
DROP VIEW IF EXISTS paimon_mv SYNC
---->
DROP TABLE IF EXISTS paimon_mv_dest SYNC
---->
DROP TABLE IF EXISTS paimon_mv_source SYNC
---->
ENGINE = PaimonHDFS(uri)
---->
ENGINE = PaimonLocal(path)
---->
INSERT INTO football FROM INFILE 'football.parquet' FORMAT Parquet
---->
SELECT *
FROM football
INTO OUTFILE 'football.parquet'
FORMAT Parquet
---->
SELECT * 
FROM file(data.parquet, ParquetMetadata) 
FORMAT PrettyJSONEachRow
---->
CREATE TABLE geo_point (p Point) ENGINE = Memory()
---->
INSERT INTO geo_point VALUES((10, 10))
---->
SELECT p, toTypeName(p) FROM geo_point
---->
CREATE TABLE geo_ring (r Ring) ENGINE = Memory()
---->
INSERT INTO geo_ring VALUES([(0, 0), (10, 0), (10, 10), (0, 10)])
---->
SELECT r, toTypeName(r) FROM geo_ring
---->
CREATE TABLE geo_linestring (l LineString) ENGINE = Memory()
---->
INSERT INTO geo_linestring VALUES([(0, 0), (10, 0), (10, 10), (0, 10)])
---->
SELECT l, toTypeName(l) FROM geo_linestring
---->
CREATE TABLE geo_multilinestring (l MultiLineString) ENGINE = Memory()
---->
INSERT INTO geo_multilinestring VALUES([[(0, 0), (10, 0), (10, 10), (0, 10)], [(1, 1), (2, 2), (3, 3)]])
---->
SELECT l, toTypeName(l) FROM geo_multilinestring
---->
CREATE TABLE geo_polygon (pg Polygon) ENGINE = Memory()
---->
INSERT INTO geo_polygon VALUES([[(20, 20), (50, 20), (50, 50), (20, 50)], [(30, 30), (50, 50), (50, 30)]])
---->
SELECT pg, toTypeName(pg) FROM geo_polygon
---->
CREATE TABLE geo_multipolygon (mpg MultiPolygon) ENGINE = Memory()
---->
INSERT INTO geo_multipolygon VALUES([[[(0, 0), (10, 0), (10, 10), (0, 10)]], [[(20, 20), (50, 20), (50, 50), (20, 50)],[(30, 30), (50, 50), (50, 30)]]])
---->
SELECT mpg, toTypeName(mpg) FROM geo_multipolygon
---->
CREATE TABLE IF NOT EXISTS geo (geom Geometry) ENGINE = Memory()
---->
INSERT INTO geo VALUES ((1, 2))
---->
SELECT * FROM geo
---->
CREATE TABLE IF NOT EXISTS geo_dst (geom Geometry) ENGINE = Memory()
---->
CREATE TABLE IF NOT EXISTS geo (geom String, id Int) ENGINE = Memory()
---->
INSERT INTO geo VALUES ('POLYGON((1 0,10 0,10 10,0 10,1 0),(4 4,5 4,5 5,4 5,4 4))', 1)
---->
INSERT INTO geo VALUES ('POINT(0 0)', 2)
---->
INSERT INTO geo VALUES ('MULTIPOLYGON(((1 0,10 0,10 10,0 10,1 0),(4 4,5 4,5 5,4 5,4 4)),((-10 -10,-10 -9,-9 10,-10 -10)))', 3)
---->
INSERT INTO geo VALUES ('LINESTRING(1 0,10 0,10 10,0 10,1 0)', 4)
---->
INSERT INTO geo VALUES ('MULTILINESTRING((1 0,10 0,10 10,0 10,1 0),(4 4,5 4,5 5,4 5,4 4))', 5)
---->
INSERT INTO geo_dst SELECT readWKT(geom) FROM geo ORDER BY id
---->
SELECT * FROM geo_dst
---->
Polygon
---->
SELECT * FROM postgresql(postgres_creds, table='table1')
---->
CREATE TABLE pg_table
(
    `float_nullable` Nullable(Float32),
    `str` String,
    `int_id` Int32
)
ENGINE = PostgreSQL('localhost:5432', 'public', 'test', 'postgres_user', 'postgres_password')
SETTINGS postgresql_connection_pool_size = 32, postgresql_connection_pool_auto_close_connection = 1
---->
CREATE TABLE pg_table ENGINE = PostgreSQL('localhost:5432', 'test', (SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0), 'user', 'password')
---->
CREATE TABLE pg_table ENGINE = PostgreSQL('localhost:5432', 'test', query('SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0'), 'user', 'password')
---->
CREATE TABLE test_replicas (id UInt32, name String) ENGINE = PostgreSQL(`postgres{2|3|4}:5432`, 'clickhouse', 'test_replicas', 'postgres', 'mysecretpassword')
---->
CREATE TABLE default.postgresql_table
(
    `float_nullable` Nullable(Float32),
    `str` String,
    `int_id` Int32
)
ENGINE = PostgreSQL('localhost:5432', 'public', 'test', 'postgres_user', 'postgres_password')
---->
CREATE TABLE default.postgresql_copy
(
    `float_nullable` Nullable(Float32),
    `str` String,
    `int_id` Int32
)
ENGINE = MergeTree
ORDER BY (int_id)
---->
INSERT INTO default.postgresql_copy
SELECT * FROM postgresql('localhost:5432', 'public', 'test', 'postgres_user', 'postgres_password')
---->
SELECT max(`int_id`) AS maxIntID FROM default.postgresql_copy
---->
INSERT INTO default.postgresql_copy
SELECT * FROM postgresql('localhost:5432', 'public', 'test', 'postgres_user', 'postgres_password')
WHERE int_id > (SELECT max(int_id) FROM default.postgresql_copy)
---->
SELECT * FROM postgresql_copy WHERE str IN ('test')
---->
CREATE TABLE pg_table_schema_with_dots (a UInt32)
        ENGINE PostgreSQL('localhost:5432', 'clickhouse', 'nice.table', 'postgrsql_user', 'password', 'nice.schema')
---->
CREATE DATABASE test_database
ENGINE = PostgreSQL('postgres1:5432', 'test_database', 'postgres', 'mysecretpassword', 'schema_name',1)
---->
SHOW TABLES FROM test_database
---->
SELECT * FROM test_database.test_table
---->
INSERT INTO test_database.test_table VALUES (3,4)
---->
DESCRIBE TABLE test_database.test_table
---->
DETACH TABLE test_database.test_table
---->
ATTACH TABLE test_database.test_table
---->
SELECT * FROM t_null
---->
SELECT 'String with \'quotes\' and \t character' AS Escaping_test
---->
SELECT EventDate, count() AS c 
FROM test.hits 
GROUP BY EventDate 
WITH TOTALS 
ORDER BY EventDate 
FORMAT PrettyCompact
---->
SELECT *
FROM football
FORMAT PrettyJSONEachRow
---->
CREATE TABLE string_or_string ( string1 String, string2 String, string_oneof Enum('no'=0, 'hello' = 1, 'world' = 42))  Engine=MergeTree ORDER BY tuple()
---->
INSERT INTO string_or_string from INFILE '$CURDIR/data_protobuf/String1' SETTINGS format_schema='$SCHEMADIR/string_or_string.proto:StringOrString' FORMAT ProtobufSingle
---->
SELECT * FROM string_or_string
---->
CREATE DATABASE IF NOT EXISTS test
---->
CREATE TABLE IF NOT EXISTS test.protobuf_messages (
  name String,
  surname String,
  birthDate UInt32,
  phoneNumbers Array(String)
)
ENGINE = MergeTree()
ORDER BY tuple()
---->
SELECT * FROM test.protobuf_messages INTO OUTFILE 'protobuf_message_from_clickhouse.bin' FORMAT Protobuf SETTINGS format_schema = 'schemafile:MessageType'
---->
CREATE TABLE testing.protobuf_schema (
  schema String
)
ENGINE = MergeTree()
ORDER BY tuple()
---->
INSERT INTO testing.protobuf_schema VALUES ('syntax = "proto3";message MessageType {  string name = 1;  string surname = 2;  uint32 birthDate = 3;  repeated string phoneNumbers = 4;};')
---->
SELECT * FROM test.hits format Protobuf SETTINGS format_protobuf_use_autogenerated_schema=1
---->
SELECT * FROM test.hits format Protobuf SETTINGS format_protobuf_use_autogenerated_schema=1, output_format_schema='path/to/schema/schema.proto'
---->
SYSTEM DROP FORMAT SCHEMA CACHE FOR Protobuf
---->
SELECT * FROM test.table FORMAT ProtobufList SETTINGS format_schema = 'schemafile:MessageType'
---->
CREATE TABLE test (id UInt32, vec QBit(Float32, 8)) ENGINE = Memory
---->
INSERT INTO test VALUES (1, [1, 2, 3, 4, 5, 6, 7, 8]), (2, [9, 10, 11, 12, 13, 14, 15, 16])
---->
SELECT vec FROM test ORDER BY id
---->
CREATE TABLE embeddings (id UInt32, embedding Array(Float32)) ENGINE = Memory
---->
INSERT INTO embeddings VALUES (1, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]), (2, [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
---->
CREATE TABLE vectors (id UInt32, vec QBit(Float32, 8)) ENGINE = Memory
---->
INSERT INTO vectors SELECT id, embedding FROM embeddings
---->
SELECT * FROM vectors ORDER BY id
---->
SELECT [1, 2, 3, 4]::QBit(Float32, 4)::Array(Float32) AS vec
---->
SELECT [1, 2, 3, 4]::QBit(Float32, 4)::QBit(Float64, 4) AS vec
---->
SELECT range(16)::Array(Float32)::QBit(Float32, 16)::QBit(Float32, 16, 8)::Array(Float32)
     = range(16)::Array(Float32) AS is_lossless
---->
INSERT INTO test VALUES (1, [0, 0, 0, 0, 0, 0, 0, 0])
---->
INSERT INTO test VALUES (1, [-0, -0, -0, -0, -0, -0, -0, -0])
---->
SELECT bin(vec.1) FROM test
---->
CREATE TABLE test (id UInt32, vec QBit(BFloat16, 4096, 1024)) ENGINE = MergeTree ORDER BY id
---->
RIPEMD160(s)
---->
SELECT HEX(RIPEMD160('The quick brown fox jumps over the lazy dog'))
---->
CREATE TABLE redis_table
(
    `key` String,
    `v1` UInt32,
    `v2` String,
    `v3` Float32
)
ENGINE = Redis('redis1:6379') PRIMARY KEY(key)
---->
CREATE TABLE redis_table
(
    `key` String,
    `v1` UInt32,
    `v2` String,
    `v3` Float32
)
ENGINE = Redis(redis_creds) PRIMARY KEY(key)
---->
INSERT INTO redis_table VALUES('1', 1, '1', 1.0), ('2', 2, '2', 2.0)
---->
SELECT COUNT(*) FROM redis_table
---->
SELECT * FROM redis_table WHERE key='1'
---->
SELECT * FROM redis_table WHERE v1=2
---->
ALTER TABLE redis_table UPDATE v1=2 WHERE key='1'
---->
ALTER TABLE redis_table DELETE WHERE key='1'
---->
TRUNCATE TABLE redis_table SYNC
---->
SELECT * FROM redis_table JOIN merge_tree_table ON merge_tree_table.key=redis_table.key
---->
CREATE TABLE imp_regex_table (id UInt32, array Array(UInt32), string String, date Date) ENGINE = Memory
---->
SELECT * FROM imp_regex_table
---->
-- without ver - the last inserted 'wins'
CREATE TABLE myFirstReplacingMT
(
    `key` Int64,
    `someCol` String,
    `eventTime` DateTime
)
ENGINE = ReplacingMergeTree
ORDER BY key
---->
INSERT INTO myFirstReplacingMT Values (1, 'first', '2020-01-01 01:01:01')
---->
INSERT INTO myFirstReplacingMT Values (1, 'second', '2020-01-01 00:00:00')
---->
SELECT * FROM myFirstReplacingMT FINAL
---->
INSERT INTO mySecondReplacingMT Values (1, 'first', '2020-01-01 01:01:01')
---->
INSERT INTO mySecondReplacingMT Values (1, 'second', '2020-01-01 00:00:00')
---->
SELECT * FROM mySecondReplacingMT FINAL
---->
-- with ver and is_deleted
CREATE OR REPLACE TABLE myThirdReplacingMT
(
    `key` Int64,
    `someCol` String,
    `eventTime` DateTime,
    `is_deleted` UInt8
)
ENGINE = ReplacingMergeTree(eventTime, is_deleted)
ORDER BY key
SETTINGS allow_experimental_replacing_merge_with_cleanup = 1
---->
INSERT INTO myThirdReplacingMT Values (1, 'first', '2020-01-01 01:01:01', 0)
---->
INSERT INTO myThirdReplacingMT Values (1, 'first', '2020-01-01 01:01:01', 1)
---->
select * from myThirdReplacingMT final
---->
INSERT INTO myThirdReplacingMT Values (1, 'first', '2020-01-01 00:00:00', 0)
---->
CREATE DATABASE database_name ENGINE = Replicated('zookeeper_name_configured_in_auxiliary_zookeepers:path', 'shard_name', 'replica_name')
---->
CREATE DATABASE r ON CLUSTER default ENGINE=Replicated
---->
CREATE TABLE r.rmt (n UInt64) ENGINE=ReplicatedMergeTree ORDER BY n
---->
SELECT cluster, shard_num, replica_num, host_name, host_address, port, is_local
FROM system.clusters WHERE cluster='r'
---->
ENGINE = ReplicatedAggregatingMergeTree('zoo_path', 'replica_name') ORDER BY expr
---->
ENGINE = ReplicatedCollapsingMergeTree('zoo_path', 'replica_name', sign) ORDER BY expr
---->
ENGINE = ReplicatedGraphiteMergeTree('zoo_path', 'replica_name', config_section) ORDER BY expr
---->
ENGINE = ReplicatedMergeTree(
    '/clickhouse/tables/{shard}/table_name',
    '{replica}'
)
---->
ENGINE = ReplicatedMergeTree
---->
CREATE TABLE table_name
(
    EventDate DateTime,
    CounterID UInt32,
    UserID UInt32,
    ver UInt16
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{layer}-{shard}/table_name', '{replica}', ver)
PARTITION BY toYYYYMM(EventDate)
ORDER BY (CounterID, EventDate, intHash32(UserID))
SAMPLE BY intHash32(UserID)
---->
CREATE TABLE table_name
(
    EventDate DateTime,
    CounterID UInt32,
    UserID UInt32
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/table_name', '{replica}', EventDate, intHash32(UserID), (CounterID, EventDate, intHash32(UserID), EventTime), 8192)
---->
CREATE TABLE table_name (
    x UInt32
) ENGINE = ReplicatedMergeTree
ORDER BY x
---->
CREATE TABLE table_name (
    x UInt32
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/table_name', '{replica}')
ORDER BY x
---->
SELECT data_paths FROM system.tables WHERE table = 'table_name' AND database = 'database_name'
---->
SELECT zookeeper_path FROM system.replicas WHERE table = 'table_name'
---->
ENGINE = ReplicatedVersionedCollapsingMergeTree('zoo_path', 'replica_name', sign, version) ORDER BY expr
---->
Ring
---->
SELECT CAST(1.25, 'BFloat16')
---->
SELECT CAST('2024-01-15', 'Date') AS d
---->
SELECT CAST('2024-01-15', 'Date32') AS d
---->
SELECT CAST('1900-01-01', 'Date32') AS d
---->
SELECT CAST('2024-01-15 10:30:00', 'DateTime(\'UTC\')') AS d
---->
SET enable_time_time64_type = 1
---->
SELECT CAST('15:32:16', 'Time') AS t
---->
SELECT CAST('15:32:16.123456', 'Time64(6)') AS t
---->
SELECT INTERVAL 5 SECOND   AS a,
     INTERVAL 10 DAY     AS b,
     INTERVAL -7 DAY     AS c,
     INTERVAL 3 YEAR     AS d,
     INTERVAL 500 MICROSECOND AS e
---->
SELECT 1 :: Enum8('hello' = 1, 'world' = 2) AS e
---->
SELECT 42 :: Enum16('f\'' = 1, 'x =' = 2, 'b\'\'' = 3, '\'c=4=' = 42, '4' = 1234) AS e
---->
SELECT    
  CAST('0.0.0.0',         'IPv4') AS a,
  CAST('127.0.0.1',       'IPv4') AS b,
  CAST('192.168.0.1',     'IPv4') AS c,
  CAST('255.255.255.255', 'IPv4') AS d,
  CAST('168.212.226.204', 'IPv4') AS e
---->
SELECT
    CAST('2a02:aa08:e000:3100::2',        'IPv6') AS a,
    CAST('2001:44c8:129:2632:33:0:252:2', 'IPv6') AS b,
    CAST('2a02:e980:1e::1',               'IPv6') AS c
---->
SELECT    
   CAST(42,   'Nullable(UInt32)') AS a,
   CAST(NULL, 'Nullable(UInt32)') AS b
---->
SELECT CAST(array(1, 2, 3), 'Array(UInt32)') AS arr
---->
SELECT array('foobar', 'qaz') AS arr
---->
SELECT CAST([NULL, 'foo'], 'Array(Nullable(String))') AS arr
---->
CREATE OR REPLACE TABLE foo
(
    `t` Tuple(
           UInt32,
           String,
           Array(UInt8)
        )
)
ENGINE = Memory
---->
INSERT INTO foo VALUES ((42, 'foo', array(99, 144)))
---->
CREATE OR REPLACE TABLE foo
(
   `t` Tuple(
          Enum8('f\'()' = 0),
          Array(Nullable(Tuple(UInt32, String)))
       )
) ENGINE = Memory
---->
SELECT CAST(map('foo', 1, 'bar', 2), 'Map(String, UInt32)') AS m
---->
SET allow_experimental_variant_type = 1,
    allow_suspicious_variant_types = 1
---->
CREATE OR REPLACE TABLE foo
(
  -- It does not matter what is the order of types in the user input;
  -- the types are always sorted alphabetically in the wire format.
  `var` Variant(
           Array(Int16),
           Bool,
           Date,
           FixedString(6),
           Float32, Float64,
           Int128, Int16, Int32, Int64, Int8,
           String,
           UInt128, UInt16, UInt32, UInt64, UInt8
       )
)
ENGINE = MergeTree
ORDER BY ()
---->
INSERT INTO foo VALUES (true), ('foobar' :: FixedString(6)), (100.5 :: Float64), (100 :: Int128), ([1, 2, 3] :: Array(Int16))
---->
SELECT * FROM foo FORMAT RowBinary
---->
SELECT NULL :: Variant(UInt32, String)
---->
SELECT NULL::Dynamic
---->
SELECT 42::Dynamic
---->
SELECT toDateTime64('2024-01-15 10:30:00', 3, 'America/New_York')::Dynamic
---->
SELECT    (1.0, 2.0)                                       :: Point           AS point,
    [(3.0, 4.0), (5.0, 6.0)]                         :: Ring            AS ring,
    [[(7.0, 8.0), (9.0, 10.0)], [(11.0, 12.0)]]      :: Polygon         AS polygon,
    [[[(13.0, 14.0), (15.0, 16.0)], [(17.0, 18.0)]]] :: MultiPolygon    AS multi_polygon,
    [(19.0, 20.0), (21.0, 22.0)]                     :: LineString      AS line_string,
    [[(23.0, 24.0), (25.0, 26.0)], [(27.0, 28.0)]]   :: MultiLineString AS multi_line_string
---->
SELECT ((1.0, 2.0)::Point)::Geometry
---->
CREATE OR REPLACE TABLE foo
(
    n Nested(a String, b Int32)
) ENGINE = MergeTree ORDER BY ()
---->
-- flatten_nested=1 is the default
INSERT INTO foo VALUES (['foo', 'bar'], [42, 144])
---->
SET flatten_nested = 0
---->
INSERT INTO foo VALUES ([('foo', 42), ('bar', 144)])
---->
CREATE TABLE test_saf
(
    key UInt32,
    val SimpleAggregateFunction(max, UInt32)
) ENGINE = AggregatingMergeTree ORDER BY key
---->
INSERT INTO test_saf VALUES (1, 42)
---->
SELECT val FROM test_saf
---->
SELECT countState(number) FROM numbers(5)
---->
SELECT sumState(toUInt32(number)) FROM numbers(5) -- sum = 0+1+2+3+4 = 10
---->
SELECT maxState(toUInt32(number)) FROM numbers(5) -- max = 4
---->
SELECT minState(toUInt32(number)) FROM numbers(0)
---->
SELECT [1.0, 2.0, 3.0, 4.0]::QBit(Float32, 4)
---->
SELECT * FROM FORMAT('RowBinaryWithDefaults', 'x UInt32 default 42, y UInt32', x'010001000000')
---->
SELECT * FROM format(
    'RowBinaryWithNamesAndTypesAndDefaults',
    'x Nullable(UInt32) DEFAULT 42',
    unhex('01' || '0178' || '10' || hex('Nullable(UInt32)') || '01')
)
---->
CREATE TABLE s3_engine_table (name String, value UInt32)
    ENGINE=S3('https://clickhouse-public-datasets.s3.amazonaws.com/my-test-bucket-768/test-data.csv.gz', 'CSV', 'gzip')
    SETTINGS input_format_with_names_use_header = 0
---->
INSERT INTO s3_engine_table VALUES ('one', 1), ('two', 2), ('three', 3)
---->
SELECT * FROM s3_engine_table LIMIT 2
---->
SELECT *
FROM s3('http://minio:10000/clickhouse//test_3.csv', 'minioadmin', 'minioadminpassword', 'CSV')
SETTINGS filesystem_cache_name = 'cache_for_s3', enable_filesystem_cache = 1
---->
CREATE TABLE t_03363_parquet (year UInt16, country String, counter UInt8)
ENGINE = S3(s3_conn, filename = 't_03363_parquet', format = Parquet, partition_strategy='hive')
PARTITION BY (year, country)
---->
INSERT INTO t_03363_parquet VALUES
    (2022, 'USA', 1),
    (2022, 'Canada', 2),
    (2023, 'USA', 3),
    (2023, 'Mexico', 4),
    (2024, 'France', 5),
    (2024, 'Germany', 6),
    (2024, 'Germany', 7),
    (1999, 'Brazil', 8),
    (2100, 'Japan', 9),
    (2024, 'CN', 10),
    (2025, '', 11)
---->
select _path, * from t_03363_parquet
---->
CREATE TABLE p
(
    `column1` UInt32,
    `column2` UInt32,
    `column3` UInt32
)
ENGINE = S3(
-- highlight-next-line
           'http://minio:10000/clickhouse//test_{_partition_id}.csv',
           'minioadmin',
           'minioadminpassword',
           'CSV',
           partition_strategy='wildcard')
PARTITION BY column3
---->
INSERT INTO p VALUES (1, 2, 3), (3, 2, 1), (78, 43, 45)
---->
SELECT *
FROM s3('http://minio:10000/clickhouse//test_3.csv', 'minioadmin', 'minioadminpassword', 'CSV')
---->
SELECT *
FROM s3('http://minio:10000/clickhouse//test_1.csv', 'minioadmin', 'minioadminpassword', 'CSV')
---->
SELECT *
FROM s3('http://minio:10000/clickhouse//test_45.csv', 'minioadmin', 'minioadminpassword', 'CSV')
---->
SELECT * FROM p
---->
CREATE TABLE big_table (name String, value UInt32)
    ENGINE = S3('https://clickhouse-public-datasets.s3.amazonaws.com/my-bucket/my_folder/file-{000..999}.csv', 'CSV')
---->
CREATE TABLE table_with_range (name String, value UInt32)
    ENGINE = S3('https://clickhouse-public-datasets.s3.amazonaws.com/my-bucket/{some,another}_folder/some_file_{1..3}', 'CSV')
---->
CREATE TABLE table_with_question_mark (name String, value UInt32)
    ENGINE = S3('https://clickhouse-public-datasets.s3.amazonaws.com/my-bucket/{some,another}_folder/some_file_?', 'CSV')
---->
CREATE TABLE table_with_asterisk (name String, value UInt32)
    ENGINE = S3('https://clickhouse-public-datasets.s3.amazonaws.com/my-bucket/{some,another}_folder/*', 'CSV')
---->
SELECT *
FROM s3(
   'https://s3-us-west-1.amazonaws.com/umbrella-static/top-1m-2018-01-1{0..2}.csv.zip :: *.csv'
)
---->
CREATE TABLE big_table (name String, value UInt32)
    ENGINE = S3('https://datasets-documentation.s3.eu-west-3.amazonaws.com/aapl_stock.csv', NOSIGN, 'CSVWithNames')
---->
CREATE TABLE my_s3_table(name String, value UInt32)
ENGINE = S3('https://my-bucket.s3.amazonaws.com/data/*.csv', extra_credentials(role_arn = 'arn:aws:iam::111111111111:role/ClickHouseAccessRole-001'), 'CSV')
---->
CREATE TABLE my_s3_table(name String, value UInt32)
ENGINE = S3('https://my-bucket.s3.amazonaws.com/data/*.csv', extra_credentials(role_arn = 'arn:aws:iam::111111111111:role/ClickHouseAccessRole-001', external_id = 'my-external-id'), 'CSV')
---->
CREATE TABLE s3queue_engine_table (name String, value UInt32)
ENGINE=S3Queue('https://clickhouse-public-datasets.s3.amazonaws.com/my-test-bucket-768/*', 'CSV', 'gzip')
SETTINGS
    mode = 'unordered'
---->
CREATE TABLE s3queue_engine_table (name String, value UInt32)
ENGINE=S3Queue(s3queue_conf, format = 'CSV', compression_method = 'gzip')
SETTINGS
    mode = 'ordered'
---->
CREATE TABLE s3queue_engine_table (name String, value UInt32)
ENGINE=S3Queue('https://clickhouse-public-datasets.s3.amazonaws.com/my-test-bucket-768/*', 'CSV', 'gzip')
SETTINGS
    mode = 'unordered',
    after_processing = 'move',
    after_processing_retries = 20,
    after_processing_move_prefix = 'dst_prefix',
    after_processing_move_uri = 'https://clickhouse-public-datasets.s3.amazonaws.com/dst-bucket',
    after_processing_move_access_key_id = 'test',
    after_processing_move_secret_access_key = 'test'
---->
CREATE TABLE stats (name String, value UInt32)
    ENGINE = MergeTree() ORDER BY name
---->
CREATE MATERIALIZED VIEW consumer TO stats
    AS SELECT name, value FROM s3queue_engine_table
---->
SELECT * FROM stats ORDER BY name
---->
SHA1(s)
---->
SELECT HEX(SHA1('abc'))
---->
SHA224(s)
---->
SELECT HEX(SHA224('abc'))
---->
SHA256(s)
---->
SELECT HEX(SHA256('abc'))
---->
SHA384(s)
---->
SELECT HEX(SHA384('abc'))
---->
SHA512(s)
---->
SELECT HEX(SHA512('abc'))
---->
SHA512_256(s)
---->
SELECT HEX(SHA512_256('abc'))
---->
SELECT number AS x, number + 1 AS y, 'Hello' AS z FROM numbers(10) FORMAT SQLInsert SETTINGS output_format_sql_insert_max_batch_size = 2
---->
CREATE DATABASE sqlite_database
    ENGINE = SQLite('db_path')
---->
CREATE DATABASE sqlite_db ENGINE = SQLite('sqlite.db')
---->
SHOW TABLES FROM sqlite_db
---->
SELECT * FROM sqlite_db.table1
---->
CREATE TABLE clickhouse_table(`col1` String,`col2` Int16) ENGINE = MergeTree() ORDER BY col2
---->
INSERT INTO clickhouse_table VALUES ('text',10)
---->
INSERT INTO sqlite_db.table1 SELECT * FROM clickhouse_table
---->
CREATE TABLE sqlite_table ENGINE = SQLite('sqlite.db', (SELECT col1, col2 FROM table1 WHERE col2 > 1))
---->
CREATE TABLE sqlite_table ENGINE = SQLite('sqlite.db', query('SELECT col1, col2 FROM table1 WHERE col2 > 1'))
---->
SHOW CREATE TABLE sqlite_db.table2
---->
SELECT * FROM sqlite_db.table2 ORDER BY col1
---->
CREATE TABLE simple (id UInt64, val SimpleAggregateFunction(sum, Double)) ENGINE=AggregatingMergeTree ORDER BY id
---->
CREATE TABLE stripe_log_table
(
    timestamp DateTime,
    message_type String,
    message String
)
ENGINE = StripeLog
---->
INSERT INTO stripe_log_table VALUES (now(),'REGULAR','The first regular message')
INSERT INTO stripe_log_table VALUES (now(),'REGULAR','The second regular message'),(now(),'WARNING','The first warning message')
---->
SELECT * FROM stripe_log_table
---->
SELECT * FROM stripe_log_table ORDER BY timestamp
---->
CREATE TABLE summtt
(
    key UInt32,
    value UInt32
)
ENGINE = SummingMergeTree()
ORDER BY key
---->
INSERT INTO summtt VALUES(1,1),(1,2),(2,1)
---->
SELECT key, sum(value) FROM summtt GROUP BY key
---->
CREATE TABLE summing_tuples
(
    key UInt32,
    metrics Tuple(
        impressions UInt64,
        clicks UInt64,
        nested Tuple(
            conversions UInt64
        )
    )
) ENGINE = SummingMergeTree()
ORDER BY key
SETTINGS allow_tuple_element_aggregation = 1
---->
INSERT INTO summing_tuples VALUES (1, (100, 10, (1)))
---->
INSERT INTO summing_tuples VALUES (1, (200, 20, (3)))
---->
OPTIMIZE TABLE summing_tuples FINAL
---->
SELECT key, metrics.impressions, metrics.clicks, metrics.nested.conversions FROM summing_tuples
---->
SELECT * FROM t_null FORMAT TSKV
---->
INSERT INTO football FROM INFILE 'football.tskv' FORMAT TSKV
---->
SELECT *
FROM football
FORMAT TSKV
---->
CREATE TABLE nestedt
(
    `id` UInt8,
    `aux` Nested(
        a UInt8,
        b String
    )
)
ENGINE = TinyLog
---->
INSERT INTO nestedt VALUES ( 1, [1], ['a'])
---->
SELECT * FROM nestedt FORMAT TSV
---->
INSERT INTO football FROM INFILE 'football.tsv' FORMAT TabSeparated
---->
SELECT *
FROM football
FORMAT TabSeparated
---->
INSERT INTO football FROM INFILE 'football.tsv' FORMAT TabSeparatedRaw
---->
SELECT *
FROM football
FORMAT TabSeparatedRaw
---->
INSERT INTO football FROM INFILE 'football.tsv' FORMAT TabSeparatedRawWithNames
---->
SELECT *
FROM football
FORMAT TabSeparatedRawWithNames
---->
INSERT INTO football FROM INFILE 'football.tsv' FORMAT TabSeparatedRawWithNamesAndTypes
---->
SELECT *
FROM football
FORMAT TabSeparatedRawWithNamesAndTypes
---->
INSERT INTO football FROM INFILE 'football.tsv' FORMAT TabSeparatedWithNames
---->
SELECT *
FROM football
FORMAT TabSeparatedWithNames
---->
INSERT INTO football FROM INFILE 'football.tsv' FORMAT TabSeparatedWithNamesAndTypes
---->
SELECT *
FROM football
FORMAT TabSeparatedWithNamesAndTypes
---->
SELECT SearchPhrase, count() AS c FROM test.hits GROUP BY SearchPhrase ORDER BY c DESC LIMIT 5 FORMAT Template SETTINGS
format_template_resultset = '/some/path/resultset.format', format_template_row = '/some/path/row.format', format_template_rows_between_delimiter = '\n    '
---->
INSERT INTO UserActivity SETTINGS
format_template_resultset = '/some/path/resultset.format', format_template_row = '/some/path/row.format'
FORMAT Template
---->
WITH formats AS
(
 SELECT * FROM system.formats
 ORDER BY rand()
 LIMIT 5
)
SELECT * FROM formats
FORMAT Template
SETTINGS
 format_template_row_format='|`${0:XML}`|',
 format_template_resultset_format='|ClickHouse Formats|\n|---|\n${data}\n'
---->
INSERT INTO table_name 
SETTINGS
    format_template_resultset = '/some/path/resultset.format',
    format_template_row = '/some/path/row.format',
    format_template_rows_between_delimiter = ','
FORMAT TemplateIgnoreSpaces
---->
SET use_legacy_to_time = 0
---->
SELECT toDate('2024-07-15') + toTime('14:30:25') as datetime
---->
SELECT toDate('2024-07-15') + toTime64('14:30:25.123456', 6) AS dt, toTypeName(dt)
---->
CREATE TABLE my_table ENGINE=TimeSeries
---->
INSERT INTO my_table (metric_name, tags, time_series) VALUES
    ('cpu_usage', {'job': 'node_exporter', 'instance': 'host1:9100'},
     [(toDateTime64('2024-01-01 00:00:00', 3), 0.5), (toDateTime64('2024-01-01 00:01:00', 3), 0.7)])
---->
INSERT INTO my_table (tags, time_series) VALUES
    ({'__name__': 'cpu_usage', 'job': 'test'},
     [(toDateTime64('2024-01-01 00:00:00', 3), 0.5)])
---->
INSERT INTO my_table (metric_name, tags, time_series, metric_family, type, unit, help) VALUES
    ('http_requests_total', {'method': 'GET'}, [(now64(), 100.0)],
     'http_requests_total', 'counter', 'requests', 'Total HTTP requests')
---->
CREATE TABLE my_table (time_series Array(Tuple(UInt32, Float32))) ENGINE=TimeSeries
---->
CREATE TABLE my_table ENGINE=TimeSeries
SAMPLES INNER COLUMNS (timestamp UInt32, value Float32)
---->
CREATE TABLE my_table
(
    `metric_name` String,
    `tags` Map(String, String),
    `time_series` Array(Tuple(DateTime64(3), Float64)),
    `metric_family` String,
    `type` String,
    `unit` String,
    `help` String
)
ENGINE = TimeSeries
SAMPLES INNER COLUMNS
(
    `id` UUID,
    `timestamp` DateTime64(3),
    `value` Float64
)
SAMPLES INNER ENGINE = MergeTree ORDER BY (id, timestamp)
TAGS INNER COLUMNS
(
    `id` UUID DEFAULT reinterpretAsUUID(sipHash128(metric_name, all_tags)),
    `metric_name` LowCardinality(String),
    `tags` Map(LowCardinality(String), String),
    `all_tags` Map(String, String) EPHEMERAL,
    `min_time` SimpleAggregateFunction(min, Nullable(DateTime64(3))),
    `max_time` SimpleAggregateFunction(max, Nullable(DateTime64(3)))
)
TAGS INNER ENGINE = AggregatingMergeTree PRIMARY KEY metric_name ORDER BY (metric_name, id) SETTINGS allow_dimensions_outside_sorting_key = 1
METRICS INNER COLUMNS
(
    `metric_family_name` String,
    `type` LowCardinality(String),
    `unit` LowCardinality(String),
    `help` String
)
METRICS INNER ENGINE = ReplacingMergeTree ORDER BY metric_family_name
---->
CREATE TABLE default.`.inner_id.samples.xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
(
    `id` UUID,
    `timestamp` DateTime64(3),
    `value` Float64
)
ENGINE = MergeTree
ORDER BY (id, timestamp)
---->
CREATE TABLE default.`.inner_id.tags.xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
(
    `id` UUID DEFAULT reinterpretAsUUID(sipHash128(metric_name, all_tags)),
    `metric_name` LowCardinality(String),
    `tags` Map(LowCardinality(String), String),
    `all_tags` Map(String, String) EPHEMERAL,
    `min_time` SimpleAggregateFunction(min, Nullable(DateTime64(3))),
    `max_time` SimpleAggregateFunction(max, Nullable(DateTime64(3)))
)
ENGINE = AggregatingMergeTree
PRIMARY KEY metric_name
ORDER BY (metric_name, id)
SETTINGS allow_dimensions_outside_sorting_key = 1
---->
CREATE TABLE default.`.inner_id.metrics.xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
(
    `metric_family_name` String,
    `type` LowCardinality(String),
    `unit` LowCardinality(String),
    `help` String
)
ENGINE = ReplacingMergeTree
ORDER BY metric_family_name
---->
CREATE TABLE my_table ENGINE=TimeSeries
SAMPLES INNER COLUMNS (timestamp DateTime64(6), value Float32)
---->
CREATE TABLE my_table ENGINE=TimeSeries
SAMPLES INNER COLUMNS (timestamp DateTime64(3) CODEC(DoubleDelta))
---->
CREATE TABLE my_table ENGINE=TimeSeries
TAGS INNER COLUMNS (id UInt64 DEFAULT sipHash64(metric_name, all_tags))
---->
CREATE TABLE my_table ENGINE=TimeSeries
SETTINGS id_generator = 'sipHash64(metric_name, all_tags)'
---->
CREATE TABLE my_table
ENGINE = TimeSeries
SETTINGS tags_to_columns = {'instance': 'instance', 'job': 'job'}
---->
CREATE TABLE my_table ENGINE=TimeSeries
SAMPLES ENGINE=ReplicatedMergeTree
TAGS ENGINE=ReplicatedAggregatingMergeTree
METRICS ENGINE=ReplicatedReplacingMergeTree
---->
CREATE TABLE samples_for_my_table
(
    `id` UUID,
    `timestamp` DateTime64(3),
    `value` Float64
)
ENGINE = MergeTree
ORDER BY (id, timestamp)
---->
ALTER TABLE my_table MODIFY SETTING id_generator = 'sipHash64(metric_name, all_tags)'
---->
ALTER TABLE my_table MODIFY SETTING filter_by_min_time_and_max_time = 0
---->
CREATE TABLE tiny_log_table
(
    timestamp DateTime,
    message_type String,
    message String
)
ENGINE = TinyLog
---->
INSERT INTO tiny_log_table VALUES (now(),'REGULAR','The first regular message')
INSERT INTO tiny_log_table VALUES (now(),'REGULAR','The second regular message'),(now(),'WARNING','The first warning message')
---->
SELECT * FROM tiny_log_table
---->
SELECT tuple(1, 'a') AS x, toTypeName(x)
---->
SELECT tuple('a') AS x
---->
SELECT (1, 'a') AS x, (today(), rand(), 'someString') AS y, ('a') AS not_a_tuple
---->
SELECT tuple(1, NULL) AS x, toTypeName(x)
---->
CREATE TABLE named_tuples (`a` Tuple(s String, i Int64)) ENGINE = Memory
---->
INSERT INTO named_tuples VALUES (('y', 10)), (('x',-10))
---->
SELECT a.s FROM named_tuples
---->
-- by name
SELECT a.2 FROM named_tuples
---->
SELECT (1, 'z') > (1, 'a') c1, (2022, 01, 02) > (2023, 04, 02) c2, (1,2,3) = (3,2,1) c3
---->
CREATE TABLE test
(
    `year` Int16,
    `month` Int8,
    `day` Int8
)
ENGINE = Memory AS
SELECT *
FROM values((2022, 12, 31), (2000, 1, 1))
---->
SELECT * FROM test
---->
SET enable_nullable_tuple_type = 1
---->
CREATE TABLE test (
    id UInt32,
    data Nullable(Tuple(String, Int64))
) ENGINE = Memory
---->
INSERT INTO test VALUES (1, ('hello', 42)), (2, NULL)
---->
SELECT * FROM test WHERE data IS NULL
---->
SELECT sumTuple(t) FROM (SELECT tuple(toInt64(1), toFloat64(2.5)) AS t UNION ALL SELECT tuple(toInt64(3), toFloat64(4.5)) UNION ALL SELECT tuple(toInt64(5), toFloat64(6.5)))
---->
SELECT corrTuple((a1, a2), (b1, b2)) FROM (SELECT toFloat64(number) AS a1, toFloat64(number * 2) AS a2, toFloat64(100 - number) AS b1, toFloat64(number * 3) AS b2 FROM numbers(10))
---->
UInt128
---->
UInt16
---->
UInt256
---->
UInt32
---->
UInt64
---->
UInt8
---->
CREATE TABLE file_via_url (a UInt32, b String) ENGINE = URL('file://data.csv', CSV)
---->
CREATE TABLE s3_via_url (a UInt32, b String) ENGINE = URL('s3://bucket/key.csv', CSV)
---->
CREATE TABLE url_engine_table (word String, value UInt64)
ENGINE=URL('http://127.0.0.1:12345/', CSV)
---->
SELECT * FROM url_engine_table
---->
SET url_base = 'http://127.0.0.1:12345/'
---->
CREATE TABLE url_engine_table (word String, value UInt64) ENGINE = URL('hello.csv', CSV)
---->
SELECT URLHash('https://www.clickhouse.com')
---->
SELECT URLHash('https://www.clickhouse.com/docs', 0)
---->
SELECT URLHash('https://www.clickhouse.com/docs', 1)
---->
URLHierarchy(url)
---->
SELECT URLHierarchy('https://example.com/a/b?c=1')
---->
URLPathHierarchy(url)
---->
SELECT URLPathHierarchy('https://example.com/a/b?c=1')
---->
UTCTimestamp()
---->
SELECT UTCTimestamp()
---->
UTMToGeo(easting, northing, zone, is_north)
---->
SELECT UTMToGeo(448251.6, 5411935.13, 31, 1)
---->
CREATE TABLE tab (uuid UUID) ENGINE = MergeTree PRIMARY KEY (uuid)
---->
INSERT INTO tab SELECT generateUUIDv7() FROM numbers(2)
---->
SELECT * FROM tab
---->
CREATE TABLE tab (uuid UUID) ENGINE = MergeTree PRIMARY KEY (UUIDv7ToDateTime(uuid))
---->
-- Or alternatively:                      [...] PRIMARY KEY (toStartOfHour(UUIDv7ToDateTime(uuid)));

INSERT INTO tab SELECT generateUUIDv7() FROM numbers(2)
---->
INSERT INTO t_uuid (y) VALUES ('Example 2')

SELECT * FROM t_uuid
---->
SELECT
    'a/<@];!~p{jTj={)' AS bytes,
    UUIDNumToString(toFixedString(bytes, 16)) AS uuid
---->
SELECT
    '@</a;]~!p{jTj={)' AS bytes,
    UUIDNumToString(toFixedString(bytes, 16), 2) AS uuid
---->
SELECT
    '612f3c40-5d3b-217e-707b-6a546a3d7b29' AS uuid,
    UUIDStringToNum(uuid) AS bytes
---->
SELECT
    '612f3c40-5d3b-217e-707b-6a546a3d7b29' AS uuid,
    UUIDStringToNum(uuid, 2) AS bytes
---->
SELECT
    toUUID('612f3c40-5d3b-217e-707b-6a546a3d7b29') AS uuid,
    UUIDToNum(uuid) AS bytes
---->
SELECT
    toUUID('612f3c40-5d3b-217e-707b-6a546a3d7b29') AS uuid,
    UUIDToNum(uuid, 2) AS bytes
---->
SELECT UUIDv7ToDateTime(toUUID('018f05c9-4ab8-7b86-b64e-c9f03fbd45d1'))
---->
SELECT UUIDv7ToDateTime(toUUID('018f05c9-4ab8-7b86-b64e-c9f03fbd45d1'), 'America/New_York')
---->
CREATE TABLE t (id UInt32, name String, values Array(UInt32)) ENGINE = Memory
---->
INSERT INTO t FORMAT Values (1, 'a', [10, 20]), (2, 'b', [30])
---->
SELECT * FROM t ORDER BY id
---->
CREATE TABLE prices (item String, total UInt32) ENGINE = Memory
---->
INSERT INTO prices FORMAT Values ('apple', 3 * 4), ('pear', length('hello') + 10)
---->
SELECT * FROM prices ORDER BY total
---->
SELECT 1 AS a, 'O''Reilly' AS b, NULL::Nullable(String) AS c FORMAT Values
---->
SELECT v FROM test
---->
SELECT toTypeName(variant) AS type_name, 'Hello, World!'::Variant(UInt64, String, Array(UInt64)) as variant
---->
SELECT if(number % 2, number, range(number)) as variant FROM numbers(5)
---->
SELECT multiIf((number % 4) = 0, 42, (number % 4) = 1, [1, 2, 3], (number % 4) = 2, 'Hello, World!', NULL) AS variant FROM numbers(4)
---->
SELECT array(range(number), number, 'str_' || toString(number)) as array_of_variants FROM numbers(3)
---->
SELECT map('a', range(number), 'b', number, 'c', 'str_' || toString(number)) as map_of_variants FROM numbers(3)
---->
SELECT v, v.String, v.UInt64, v.`Array(UInt64)` FROM test
---->
SELECT toTypeName(v.String), toTypeName(v.UInt64), toTypeName(v.`Array(UInt64)`) FROM test LIMIT 1
---->
SELECT v, variantElement(v, 'String'), variantElement(v, 'UInt64'), variantElement(v, 'Array(UInt64)') FROM test
---->
SELECT variantType(v) FROM test
---->
SELECT toTypeName(variantType(v)) FROM test LIMIT 1
---->
SELECT '42'::Variant(String, UInt64) AS variant, variantType(variant) AS variant_type
---->
SELECT '[1, 2, 3]'::Variant(String, Array(UInt64)) as variant, variantType(variant) as variant_type
---->
SELECT CAST(map('key1', '42', 'key2', 'true', 'key3', '2020-01-01'), 'Map(String, Variant(UInt64, Bool, Date))') AS map_of_variants, mapApply((k, v) -> (k, variantType(v)), map_of_variants) AS map_of_variant_types
---->
SET cast_string_to_variant_use_inference = 0
---->
SELECT toTypeName(variant) AS type_name, [1,2,3]::Array(UInt64)::Variant(UInt64, String, Array(UInt64)) as variant, variantType(variant) as variant_name
---->
SELECT '[1, 2, 3]'::Variant(String)::Variant(String, Array(UInt64), UInt64) as variant, variantType(variant) as variant_type
---->
CREATE TABLE test (v Variant(UInt64, String)) ENGINE = Memory
---->
INSERT INTO test VALUES (NULL), (42), ('42.42')
---->
SELECT v::Nullable(Float64) FROM test
---->
INSERT INTO test VALUES (NULL), (42), ('String')
---->
SELECT v::Variant(UInt64, String, Array(UInt64)) FROM test
---->
SELECT
    v,
    variantElement(v, 'String') AS str,
    variantElement(v, 'UInt64') AS num,
    variantElement(v, 'Float64') AS float,
    variantElement(v, 'DateTime') AS date,
    variantElement(v, 'Array(UInt64)') AS arr
FROM format(JSONEachRow, 'v Variant(String, UInt64, Float64, DateTime, Array(UInt64))', $$
{"v" : "Hello, World!"},
{"v" : 42},
{"v" : 42.42},
{"v" : "2020-01-01 00:00:00"},
{"v" : [1, 2, 3]}
$$)
---->
SET allow_suspicious_types_in_order_by = 1
---->
CREATE TABLE test (v1 Variant(String, UInt64, Array(UInt32)), v2 Variant(String, UInt64, Array(UInt32))) ENGINE=Memory
---->
INSERT INTO test VALUES (42, 42), (42, 43), (42, 'abc'), (42, [1, 2, 3]), (42, []), (42, NULL)
---->
SELECT v2, variantType(v2) AS v2_type FROM test ORDER BY v2
---->
SET use_variant_default_implementation_for_comparisons = 0
---->
SELECT v1, variantType(v1) AS v1_type, v2, variantType(v2) AS v2_type, v1 = v2, v1 < v2, v1 > v2 FROM test
---->
SELECT * FROM test WHERE v2 == [1,2,3]::Array(UInt32)::Variant(String, UInt64, Array(UInt32))
---->
SELECT * FROM test WHERE v2.`Array(UInt32)` == [1,2,3] -- or using variantElement(v2, 'Array(UInt32)')
---->
SELECT v2, v2.`Array(UInt32)`, variantType(v2) FROM test WHERE v2.`Array(UInt32)` == []
---->
SELECT v2, v2.`Array(UInt32)`, variantType(v2) FROM test WHERE variantType(v2) == 'Array(UInt32)' AND v2.`Array(UInt32)` == []
---->
SET allow_suspicious_variant_types = 1
---->
CREATE TABLE test (v Variant(UInt32, Int64)) ENGINE=Memory
---->
SELECT v, variantType(v) FROM test ORDER by v
---->
SELECT JSONExtract('{"a" : [1, 2, 3]}', 'a', 'Variant(UInt32, String, Array(UInt32))') AS variant, variantType(variant) AS variant_type
---->
SELECT JSONExtract('{"obj" : {"a" : 42, "b" : "Hello", "c" : [1,2,3]}}', 'obj', 'Map(String, Variant(UInt32, String, Array(UInt32)))') AS map_of_variants, mapApply((k, v) -> (k, variantType(v)), map_of_variants) AS map_of_variant_types
---->
SELECT JSONExtractKeysAndValues('{"a" : 42, "b" : "Hello", "c" : [1,2,3]}', 'Variant(UInt32, String, Array(UInt32))') AS variants, arrayMap(x -> (x.1, variantType(x.2)), variants) AS variant_types
---->
SET variant_throw_on_type_mismatch = 0
---->
CREATE TABLE test (v Variant(UInt32, String)) ENGINE = Memory
---->
INSERT INTO test VALUES (42), ('hello'), (NULL)
---->
SELECT *, toTypeName(v) FROM test WHERE v = 42
---->
CREATE TABLE test2 (v Variant(UInt64, Float64)) ENGINE = Memory
---->
INSERT INTO test2 VALUES (42::UInt64), (42.42)
---->
SELECT v + 1 AS result, toTypeName(result) FROM test2
---->
CREATE TABLE test3 (v Variant(Array(UInt32), UInt32)) ENGINE = Memory
---->
INSERT INTO test3 VALUES ([1,2,3]), (42)
---->
SELECT v + 10 AS result, toTypeName(result) FROM test3
---->
CREATE TABLE test (v Variant(String, UInt64)) ENGINE = Memory
---->
INSERT INTO test VALUES ('hello'), (42), ('foo')
---->
-- Default (throw on mismatch): length() does not accept UInt64, so the query throws.
SELECT length(v) FROM test
---->
-- throws ILLEGAL_TYPE_OF_ARGUMENT

-- With throw disabled: incompatible rows return NULL.
SET variant_throw_on_type_mismatch = false
---->
SELECT v, length(v) FROM test ORDER BY v::String NULLS LAST
---->
VersionedCollapsingMergeTree(sign, version)
---->
CREATE TABLE UAct
(
    UserID UInt64,
    PageViews UInt8,
    Duration UInt8,
    Sign Int8,
    Version UInt8
)
ENGINE = VersionedCollapsingMergeTree(Sign, Version)
ORDER BY UserID
---->
INSERT INTO UAct VALUES (4324182021466249494, 5, 146, 1, 1)
---->
INSERT INTO UAct VALUES (4324182021466249494, 5, 146, -1, 1),(4324182021466249494, 6, 185, 1, 2)
---->
SELECT
    UserID,
    sum(PageViews * Sign) AS PageViews,
    sum(Duration * Sign) AS Duration,
    Version
FROM UAct
GROUP BY UserID, Version
HAVING sum(Sign) > 0
---->
SELECT * FROM t_null FORMAT Vertical
---->
SELECT 'string with \'quotes\' and \t with some special \n characters' AS test FORMAT Vertical
---->
SHOW CREATE TABLE yt_saurus
---->
CREATE TABLE yt_saurus
(
    `a` UInt32,
    `b` String
)
ENGINE = YTsaurus('http://localhost:8000', '//tmp/table', 'password')
---->
SELECT * FROM yt_saurus
---->
YYYYMMDDToDate(YYYYMMDD)
---->
SELECT YYYYMMDDToDate(20230911)
---->
YYYYMMDDToDate32(YYYYMMDD)
---->
SELECT YYYYMMDDToDate32(20000507)
---->
SELECT YYYYMMDDToDateTime(20230911131415)
---->
SELECT YYYYMMDDhhmmssToDateTime64(20230911131415, 3, 'Asia/Istanbul')
---->
abs(x)
---->
SELECT abs(-0.5)
---->
accurateCast(x, T)
---->
SELECT accurateCast(42, 'UInt16')
---->
SELECT accurateCast('123.45', 'Float64')
---->
SELECT accurateCastOrDefault(42, 'String')
---->
SELECT accurateCastOrDefault('abc', 'UInt32', 999::UInt32)
---->
SELECT accurateCastOrDefault('abc', 'UInt32')
---->
accurateCastOrNull(x, T)
---->
SELECT accurateCastOrNull(42, 'String')
---->
SELECT accurateCastOrNull('abc', 'UInt32')
---->
acos(x)
---->
SELECT acos(0.5)
---->
acosh(x)
---->
SELECT acosh(1)
---->
addDate(datetime, interval)
---->
SELECT addDate(toDate('2018-01-01'), INTERVAL 3 YEAR)
---->
addDays(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addDays(date, 5) AS add_days_with_date,
    addDays(date_time, 5) AS add_days_with_date_time,
    addDays(date_time_string, 5) AS add_days_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 day)
---->
addHours(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addHours(date, 12) AS add_hours_with_date,
    addHours(date_time, 12) AS add_hours_with_date_time,
    addHours(date_time_string, 12) AS add_hours_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 hour)
---->
addInterval(interval_1, interval_2)
---->
SELECT addInterval(INTERVAL 1 DAY, INTERVAL 1 MONTH)
---->
SELECT addInterval((INTERVAL 1 DAY, INTERVAL 1 YEAR), INTERVAL 1 MONTH)
---->
SELECT addInterval(INTERVAL 2 DAY, INTERVAL 1 DAY)
---->
addMicroseconds(datetime, num)
---->
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addMicroseconds(date_time, 1000000) AS add_microseconds_with_date_time,
    addMicroseconds(date_time_string, 1000000) AS add_microseconds_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::DateTime, INTERVAL 10 microsecond)
---->
addMilliseconds(datetime, num)
---->
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addMilliseconds(date_time, 1000) AS add_milliseconds_with_date_time,
    addMilliseconds(date_time_string, 1000) AS add_milliseconds_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::DateTime, INTERVAL 10 millisecond)
---->
addMinutes(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addMinutes(date, 20) AS add_minutes_with_date,
    addMinutes(date_time, 20) AS add_minutes_with_date_time,
    addMinutes(date_time_string, 20) AS add_minutes_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 minute)
---->
addMonths(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addMonths(date, 6) AS add_months_with_date,
    addMonths(date_time, 6) AS add_months_with_date_time,
    addMonths(date_time_string, 6) AS add_months_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 month)
---->
addNanoseconds(datetime, num)
---->
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addNanoseconds(date_time, 1000) AS add_nanoseconds_with_date_time,
    addNanoseconds(date_time_string, 1000) AS add_nanoseconds_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::DateTime, INTERVAL 1000 nanosecond)
---->
addQuarters(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addQuarters(date, 1) AS add_quarters_with_date,
    addQuarters(date_time, 1) AS add_quarters_with_date_time,
    addQuarters(date_time_string, 1) AS add_quarters_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 quarter)
---->
addSeconds(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addSeconds(date, 30) AS add_seconds_with_date,
    addSeconds(date_time, 30) AS add_seconds_with_date_time,
    addSeconds(date_time_string, 30) AS add_seconds_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 second)
---->
addTupleOfIntervals(datetime, intervals)
---->
WITH toDate('2018-01-01') AS date
SELECT addTupleOfIntervals(date, (INTERVAL 1 DAY, INTERVAL 1 MONTH, INTERVAL 1 YEAR))
---->
addWeeks(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addWeeks(date, 5) AS add_weeks_with_date,
    addWeeks(date_time, 5) AS add_weeks_with_date_time,
    addWeeks(date_time_string, 5) AS add_weeks_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 week)
---->
addYears(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addYears(date, 1) AS add_years_with_date,
    addYears(date_time, 1) AS add_years_with_date_time,
    addYears(date_time_string, 1) AS add_years_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::Date, INTERVAL 10 year)
---->
INSERT INTO table_1 VALUES (1, 'a'), (2, 'bb'), (3, 'ccc'), (4, 'dddd')
---->
SElECT * FROM table_1
---->
SELECT *
FROM table_1
SETTINGS additional_result_filter = 'x != 2'
---->
SELECT * FROM table_1
---->
SELECT *
FROM table_1
SETTINGS additional_table_filters = {'table_1': 'x != 2'}
---->
addressToLine(address_of_binary_instruction)
---->
SET allow_introspection_functions=1
---->
addressToLineWithInlines(address_of_binary_instruction)
---->
SELECT addressToLineWithInlines(531055181::UInt64)
---->
-- The arrayJoin function will split array to rows

SELECT
    ta, addressToLineWithInlines(arrayJoin(trace) AS ta)
FROM system.trace_log
WHERE
    query_id = '5e173544-2020-45de-b645-5deebe2aae54'
---->
addressToSymbol(address_of_binary_instruction)
---->
-- Given equal input encrypt and aes_encrypt_mysql produce the same ciphertext:
SELECT encrypt('aes-256-ofb', 'Secret', '12345678910121314151617181920212', 'iviviviviviviviv') = aes_encrypt_mysql('aes-256-ofb', 'Secret', '12345678910121314151617181920212', 'iviviviviviviviv') AS ciphertexts_equal
---->
-- But encrypt fails when key or iv is longer than expected:
SELECT encrypt('aes-256-ofb', 'Secret', '123456789101213141516171819202122', 'iviviviviviviviv123')
---->
-- aes_encrypt_mysql produces MySQL-compatible output:
SELECT hex(aes_encrypt_mysql('aes-256-ofb', 'Secret', '123456789101213141516171819202122', 'iviviviviviviviv123')) AS ciphertext
---->
-- Notice how supplying even longer IV produces the same result
SELECT hex(aes_encrypt_mysql('aes-256-ofb', 'Secret', '123456789101213141516171819202122', 'iviviviviviviviv123456')) AS ciphertext
---->
SELECT age('hour', toDateTime('2018-01-01 22:30:00'), toDateTime('2018-01-02 23:00:00'))
---->
SELECT
    toDate('2022-01-01') AS e,
    toDate('2021-12-29') AS s,
    age('day', s, e) AS day_age,
    age('month', s, e) AS month_age,
    age('year', s, e) AS year_age
---->
aggThrow(throw_prob)
---->
SELECT number % 2 AS even, aggThrow(number) FROM numbers(10) GROUP BY even
---->
CREATE TABLE example (
    user_id UInt64,
    avg_session_length AggregateFunction(avg, UInt32)
)
---->
INSERT INTO example FORMAT CSV
123,456
---->
INSERT INTO example FORMAT CSV
123,"[456,789,101]"
---->
SELECT SUM(-1), MAX(0) FROM system.one WHERE 0
---->
SELECT aiClassify('I love this product!', ['positive', 'negative', 'neutral'])
---->
SELECT body, aiClassify(body, ['bug', 'question', 'feature'], map('credentials', 'ai_text_credentials')) AS kind FROM issues LIMIT 5
---->
SELECT aiEmbed('Hello world', 'text-embedding-3-small', map('credentials', 'ai_embedding_credentials'))
---->
SELECT aiEmbed('Hello world', 'text-embedding-3-small', map('credentials', 'ai_embedding_credentials', 'dimensions', '256'))
---->
SELECT aiEmbed(title, 'text-embedding-3-small', map('credentials', 'ai_embedding_credentials', 'dimensions', '256')) FROM articles LIMIT 10
---->
SELECT aiExtract('The package arrived late and was damaged.', 'the main complaint')
---->
SELECT aiExtract(review, '{"sentiment": "positive, negative or neutral", "topic": "main topic of the review"}') FROM reviews LIMIT 5
---->
SELECT aiGenerate('What is 2 + 2? Reply with just the number.')
---->
SELECT aiGenerate('Explain ClickHouse', map('credentials', 'ai_text_credentials', 'system_prompt', 'You are a database expert. Be concise.'))
---->
SELECT article_title, aiGenerate(concat('Summarize in one sentence: ', article_body)) AS summary FROM articles LIMIT 5
---->
SELECT aiTranslate('Hello, world!', 'French')
---->
SELECT aiTranslate(body, 'Japanese', map('instructions', 'Use polite form (desu/masu)')) FROM articles LIMIT 5
---->
INSERT INTO FUNCTION null('foo String') SETTINGS max_threads=1 VALUES ('bar')
---->
SET allow_settings_after_format_in_insert=1
---->
INSERT INTO FUNCTION null('foo String') VALUES ('bar') SETTINGS max_threads=1
---->
SELECT alphaTokens('abca1abc')
---->
CREATE TABLE test(a Int64, d Date, s String) ENGINE = MergeTree PARTITION BY toYYYYMDECLARE(d) ORDER BY a
---->
INSERT INTO test VALUES(1, '2021-01-01', '')
---->
ALTER TABLE test DETACH PARTITION ID '202101'
---->
ALTER TABLE test ATTACH PARTITION ID '202101' SETTINGS alter_partition_verbose_result = 1
---->
analysisOfVariance(val, group_no)
---->
SELECT analysisOfVariance(number, number % 2) FROM numbers(1048575)
---->
SELECT and(0, 1, -2)
---->
SELECT and(NULL, 1, 10, -2)
---->
CREATE TABLE tab (city Nullable(String)) ENGINE=Memory
---->
INSERT INTO tab (city) VALUES (NULL), ('Amsterdam'), ('New York'), ('Tokyo'), ('Valencia'), (NULL)
---->
SELECT any(city), anyRespectNulls(city) FROM tab
---->
anyHeavy(column)
---->
SELECT anyHeavy(AirlineID) AS res
FROM ontime
---->
CREATE TABLE tab(city Nullable(String)) ENGINE=Memory
---->
INSERT INTO tab (city) VALUES ('Amsterdam'), (NULL), ('New York'), ('Tokyo'), ('Valencia'), (NULL)
---->
SELECT anyLast(city), anyLastRespectNulls(city) FROM tab
---->
appendTrailingCharIfAbsent(s, c)
---->
SELECT appendTrailingCharIfAbsent('https://example.com', '/')
---->
SELECT approx_top_k(2)(k)
FROM VALUES('k Char, w UInt64', ('y', 1), ('y', 1), ('x', 5), ('y', 1), ('z', 10))
---->
SELECT approx_top_sum(2)(k, w)
FROM VALUES('k Char, w UInt64', ('y', 1), ('y', 1), ('x', 5), ('y', 1), ('z', 10))
---->
areaCartesian(object)
---->
areaSpherical(object)
---->
argAndMax(arg, val)
---->
SELECT argAndMax(user, salary) FROM salary
---->
CREATE TABLE test
(
    a Nullable(String),
    b Nullable(Int64)
)
ENGINE = Memory AS
SELECT *
FROM VALUES(('a', 1), ('b', 2), ('c', 2), (NULL, 3), (NULL, NULL), ('d', NULL))
---->
SELECT argMax(a, b), argAndMax(a, b), max(b) FROM test
---->
SELECT argAndMax(a, (b,a)) FROM test
---->
argAndMin(arg, val)
---->
SELECT argAndMin(user, salary) FROM salary
---->
CREATE TABLE test
(
    a Nullable(String),
    b Nullable(Int64)
)
ENGINE = Memory AS
SELECT *
FROM VALUES((NULL, 0), ('a', 1), ('b', 2), ('c', 2), (NULL, NULL), ('d', NULL))
---->
SELECT argMin(a,b), argAndMin(a, b), min(b) FROM test
---->
SELECT argAndMin(a, (b, a)), min(tuple(b, a)) FROM test
---->
argMax(arg, val)
---->
SELECT argMax(user, salary) FROM salary
---->
SELECT argMax(a, b), max(b) FROM test
---->
SELECT argMax(a, (b,a)) FROM test
---->
argMin(arg, val)
---->
SELECT argMin(user, salary) FROM salary
---->
SELECT argMin(a, b), min(b) FROM test
---->
SELECT argMin(a, (b, a)), min(tuple(b, a)) FROM test
---->
SELECT array(toInt32(1), toUInt16(2), toInt8(3)) AS a, toTypeName(a)
---->
SELECT array(toInt32(5), toDateTime('1998-06-16'), toInt8(5)) AS a, toTypeName(a)
---->
SELECT arrayAUCPR([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
---->
SELECT arrayAll(x, y -> x=y, [1, 2, 3], [1, 2, 3])
---->
SELECT arrayAll(x, y -> x=y, [1, 2, 3], [1, 1, 1])
---->
arrayAutocorrelation(arr, [max_lag])
---->
SELECT arrayAutocorrelation([1, 2, 3, 4, 5])
---->
SELECT arrayAutocorrelation([10, 20, 10])
---->
SELECT arrayAutocorrelation([5, 5, 5])
---->
SELECT arrayAutocorrelation([1, 2, 3, 4, 5], 2)
---->
SELECT arrayAvg([1, 2, 3, 4])
---->
SELECT arrayAvg(x, y -> x*y, [2, 3], [2, 3]) AS res
---->
SELECT arrayBottomK(3, [1, 5, 2, 7, 3])
---->
SELECT arrayBottomK(3, [1, NULL, 5, 2, NULL, 7])
---->
SELECT arrayBottomK(5, [1, NULL, 2])
---->
SELECT arrayBottomK((x) -> -x, 2, [5, 9, 1, 3])
---->
SELECT arrayBottomK((x, y) -> y, 2, ['a', 'b', 'c'], [3, 1, 2])
---->
arrayCompact(arr)
---->
SELECT arrayCompact([1, 1, nan, nan, 2, 3, 3, 3])
---->
SELECT arrayConcat([1, 2], [3, 4], [5, 6]) AS res
---->
SELECT arrayCount(x -> (x % 2), groupArray(number)) FROM numbers(10)
---->
SELECT arrayCumSum([1, 1, 1, 1]) AS res
---->
SELECT arrayCumSum(x -> x * 2, [1, 2, 3]) AS res
---->
SELECT arrayCumSumNonNegative([1, 1, -4, 1]) AS res
---->
SELECT arrayCumSumNonNegative(x -> x * 2, [1, -2, 3]) AS res
---->
arrayDifference(arr)
---->
SELECT arrayDifference([1, 2, 3, 4])
---->
SELECT arrayDifference([0, 10000000000000000000])
---->
arrayDistinct(arr)
---->
SELECT arrayDistinct([1, 2, 2, 3, 1])
---->
arrayDotProduct(v1, v2)
---->
SELECT arrayDotProduct([1, 2, 3], [4, 5, 6]) AS res, toTypeName(res)
---->
SELECT dotProduct((1::UInt16, 2::UInt8, 3::Float32),(4::Int16, 5::Float32, 6::UInt8)) AS res, toTypeName(res)
---->
arrayElement(arr, n)
---->
SELECT arrayElement(arr, 2) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElement(arr, -1) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arr[2] FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElement(arr, 4) FROM (SELECT [1, 2, 3] AS arr)
---->
arrayElementOrNull(arrays)
---->
SELECT arrayElementOrNull(arr, 2) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElementOrNull(arr, -1) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElementOrNull(arr, 4) FROM (SELECT [1, 2, 3] AS arr)
---->
arrayEnumerate(arr)
---->
CREATE TABLE test
(
    `id` UInt8,
    `tag` Array(String),
    `version` Array(String)
)
ENGINE = MergeTree
ORDER BY id
---->
INSERT INTO test VALUES (1, ['release-stable', 'dev', 'security'], ['2.4.0', '2.6.0-alpha', '2.4.0-sec1'])
---->
SELECT
    id,
    tag,
    version,
    seq
FROM test
ARRAY JOIN
    tag,
    version,
    arrayEnumerate(tag) AS seq
---->
arrayEnumerateDense(arr)
---->
SELECT arrayEnumerateDense([10, 20, 10, 30])
---->
arrayEnumerateDenseRanked(clear_depth, arr, max_array_depth)
---->
-- With clear_depth=1 and max_array_depth=1, the result is identical to what arrayEnumerateDense would give.

SELECT arrayEnumerateDenseRanked(1,[10, 20, 10, 30],1)
---->
-- In this example, arrayEnumerateDenseRanked is used to obtain an array indicating, for each element of the
-- multidimensional array, what its position is among elements of the same value.
-- For the first row of the passed array, [10, 10, 30, 20], the corresponding first row of the result is [1, 1, 2, 3],
-- indicating that 10 is the first number encountered in position 1 and 2, 30 the second number encountered in position 3
-- and 20 is the third number encountered in position 4.
-- For the second row, [40, 50, 10, 30], the corresponding second row of the result is [4,5,1,2], indicating that 40
-- and 50 are the fourth and fifth numbers encountered in position 1 and 2 of that row, that another 10
-- (the first encountered number) is in position 3 and 30 (the second number encountered) is in the last position.

SELECT arrayEnumerateDenseRanked(1,[[10,10,30,20],[40,50,10,30]],2)
---->
-- Changing clear_depth=2 results in the enumeration occurring separately for each row anew.

SELECT arrayEnumerateDenseRanked(2,[[10,10,30,20],[40,50,10,30]],2)
---->
SELECT arrayEnumerateUniq([10, 20, 10, 30])
---->
SELECT arrayEnumerateUniq([1, 1, 1, 2, 2, 2], [1, 1, 2, 1, 1, 2])
---->
-- Each goal ID has a calculation of the number of conversions (each element in the Goals nested data structure is a goal that was reached, which we refer to as a conversion)
-- and the number of sessions. Without ARRAY JOIN, we would have counted the number of sessions as sum(Sign). But in this particular case,
-- the rows were multiplied by the nested Goals structure, so in order to count each session one time after this, we apply a condition to the
-- value of the arrayEnumerateUniq(Goals.ID) function.

SELECT
    Goals.ID AS GoalID,
    sum(Sign) AS Reaches,
    sumIf(Sign, num = 1) AS Visits
FROM test.visits
ARRAY JOIN
    Goals,
    arrayEnumerateUniq(Goals.ID) AS num
WHERE CounterID = 160656
GROUP BY GoalID
ORDER BY Reaches DESC
LIMIT 10
---->
arrayEnumerateUniqRanked(clear_depth, arr, max_array_depth)
---->
-- With clear_depth=1 and max_array_depth=1, the result of arrayEnumerateUniqRanked
-- is identical to that which arrayEnumerateUniq would give for the same array.

SELECT arrayEnumerateUniqRanked(1, [1, 2, 1], 1)
---->
-- with clear_depth=1 and max_array_depth=1, the result of arrayEnumerateUniqRanked
-- is identical to that which arrayEnumerateUniqwould give for the same array.

SELECT arrayEnumerateUniqRanked(1, [[1, 2, 3], [2, 2, 1], [3]], 2)
---->
-- In this example, arrayEnumerateUniqRanked is used to obtain an array indicating,
-- for each element of the multidimensional array, what its position is among elements
-- of the same value. For the first row of the passed array, [1, 2, 3], the corresponding
-- result is [1, 1, 1], indicating that this is the first time 1, 2 and 3 are encountered.
-- For the second row of the provided array, [2, 2, 1], the corresponding result is [2, 3, 3],
-- indicating that 2 is encountered for a second and third time, and 1 is encountered
-- for the second time. Likewise, for the third row of the provided array [3] the
-- corresponding result is [2] indicating that 3 is encountered for the second time.

SELECT arrayEnumerateUniqRanked(1, [[1, 2, 3], [2, 2, 1], [3]], 2)
---->
-- Changing clear_depth=2, results in elements being enumerated separately for each row.
SELECT arrayEnumerateUniqRanked(2,[[1, 2, 3],[2, 2, 1],[3]], 2)
---->
arrayExcept(source, except)
---->
SELECT arrayExcept([1, 2, 3, 2, 4], [3, 5])
---->
SELECT arrayExcept([1, NULL, 2, NULL], [2])
---->
SELECT arrayExcept([1, NULL, 2, NULL], [NULL, 2, NULL])
---->
SELECT arrayExcept(['apple', 'banana', 'cherry'], ['banana', 'date'])
---->
SELECT arrayExists(x, y -> x=y, [1, 2, 3], [0, 0, 0])
---->
SELECT arrayFill(x -> not isNull(x), [1, null, 2, null]) AS res
---->
SELECT arrayFill(x, y, z -> x > y AND x < z, [5, 3, 6, 2], [4, 7, 1, 3], [10, 2, 8, 5]) AS res
---->
SELECT arrayFilter(x -> x LIKE '%World%', ['Hello', 'abc World']) AS res
---->
SELECT
    arrayFilter(
        (i, x) -> x LIKE '%World%',
        arrayEnumerate(arr),
        ['Hello', 'abc World'] AS arr)
    AS res
---->
SELECT arrayFirst(x, y -> x=y, ['a', 'b', 'c'], ['c', 'b', 'a'])
---->
SELECT arrayFirst(x, y -> x=y, [0, 1, 2], [3, 3, 3]) AS res, toTypeName(res)
---->
SELECT arrayFirstIndex(x, y -> x=y, ['a', 'b', 'c'], ['c', 'b', 'a'])
---->
SELECT arrayFirstIndex(x, y -> x=y, ['a', 'b', 'c'], ['d', 'e', 'f'])
---->
SELECT arrayFirstOrNull(x, y -> x=y, ['a', 'b', 'c'], ['c', 'b', 'a'])
---->
SELECT arrayFirstOrNull(x, y -> x=y, [0, 1, 2], [3, 3, 3]) AS res, toTypeName(res)
---->
arrayFlatten(arr)
---->
SELECT arrayFlatten([[[1]], [[2], [3]]])
---->
SELECT arrayFold(acc,x -> acc + x*2, [1, 2, 3, 4], 3::Int64) AS res
---->
SELECT arrayFold(acc, x -> (acc.2, acc.2 + acc.1),range(number),(1::Int64, 0::Int64)).1 AS fibonacci FROM numbers(1,10)
---->
SELECT arrayFold(
(acc, x, y) -> acc + (x * y),
[1, 2, 3, 4],
[10, 20, 30, 40],
0::Int64
) AS res
---->
SELECT
arrayIntersect([1, 2], [1, 3], [2, 3]) AS empty_intersection,
arrayIntersect([1, 2], [1, 3], [1, 4]) AS non_empty_intersection
---->
arrayJaccardIndex(arr_x, arr_y)
---->
SELECT arrayJaccardIndex([1, 2], [2, 3]) AS res
---->
arrayJoin(arr)
---->
SELECT arrayJoin([1, 2, 3] AS src) AS dst, 'Hello', src
---->
-- The arrayJoin function affects all sections of the query, including the WHERE section. Notice the result 2, even though the subquery returned 1 row.

SELECT sum(1) AS impressions
FROM
(
    SELECT ['Istanbul', 'Berlin', 'Bobruisk'] AS cities
)
WHERE arrayJoin(cities) IN ['Istanbul', 'Berlin']
---->
-- A query can use multiple arrayJoin functions. In this case, the transformation is performed multiple times and the rows are multiplied.

SELECT
    sum(1) AS impressions,
    arrayJoin(cities) AS city,
    arrayJoin(browsers) AS browser
FROM
(
    SELECT
        ['Istanbul', 'Berlin', 'Bobruisk'] AS cities,
        ['Firefox', 'Chrome', 'Chrome'] AS browsers
)
GROUP BY
    2,
    3
ORDER BY
    city,
    browser
---->
-- Using multiple arrayJoin with the same expression may not produce the expected result due to optimizations.
-- For these cases, consider modifying the repeated array expression with extra operations that do not affect join result.
-- e.g. arrayJoin(arraySort(arr)), arrayJoin(arrayConcat(arr, []))

SELECT
    arrayJoin(dice) as first_throw,
    /* arrayJoin(dice) as second_throw */ -- is technically correct, but will annihilate result set
    arrayJoin(arrayConcat(dice, [])) as second_throw -- intentionally changed expression to force re-evaluation
FROM (
    SELECT [1, 2, 3, 4, 5, 6] as dice
)
---->
-- Note the ARRAY JOIN syntax in the `SELECT` query below, which provides broader possibilities.
-- ARRAY JOIN allows you to convert multiple arrays with the same number of elements at a time.

SELECT
    sum(1) AS impressions,
    city,
    browser
FROM
(
    SELECT
        ['Istanbul', 'Berlin', 'Bobruisk'] AS cities,
        ['Firefox', 'Chrome', 'Chrome'] AS browsers
)
ARRAY JOIN
    cities AS city,
    browsers AS browser
GROUP BY
    2,
    3
ORDER BY
    2,
    3
---->
-- You can also use Tuple

SELECT
    sum(1) AS impressions,
    (arrayJoin(arrayZip(cities, browsers)) AS t).1 AS city,
    t.2 AS browser
FROM
(
    SELECT
        ['Istanbul', 'Berlin', 'Bobruisk'] AS cities,
        ['Firefox', 'Chrome', 'Chrome'] AS browsers
)
GROUP BY
    2,
    3
ORDER BY
    2,
    3
---->
SELECT arrayLast(x, y -> x=y, ['a', 'b', 'c'], ['a', 'b', 'c'])
---->
SELECT arrayLastIndex(x, y -> x=y, ['a', 'b', 'c'], ['a', 'b', 'c'])
---->
SELECT arrayLastIndex(x, y -> x=y, ['a', 'b', 'c'], ['d', 'e', 'f'])
---->
SELECT arrayLastOrNull(x, y -> x=y, ['a', 'b', 'c'], ['a', 'b', 'c'])
---->
SELECT arrayLastOrNull(x, y -> x=y, [0, 1, 2], [3, 3, 3]) AS res, toTypeName(res)
---->
arrayLevenshteinDistance(from, to)
---->
SELECT arrayLevenshteinDistance([1, 2, 4], [1, 2, 3])
---->
arrayLevenshteinDistanceWeighted(from, to, from_weights, to_weights)
---->
SELECT arrayLevenshteinDistanceWeighted(['A', 'B', 'C'], ['A', 'K', 'L'], [1.0, 2, 3], [3.0, 4, 5])
---->
arrayMap(func, arr)
---->
SELECT arrayMap(x -> (x + 2), [1, 2, 3]) as res
---->
SELECT arrayMap((x, y) -> (x, y), [1, 2, 3], [4, 5, 6]) AS res
---->
SELECT arrayMax([5, 3, 2, 7])
---->
SELECT arrayMax(x, y -> x/y, [4, 8, 12, 16], [1, 2, 1, 2])
---->
SELECT arrayMin([5, 3, 2, 7])
---->
SELECT arrayMin(x, y -> x/y, [4, 8, 12, 16], [1, 2, 1, 2])
---->
arrayNormalizedGini(predicted, label)
---->
SELECT arrayNormalizedGini([0.9, 0.3, 0.8, 0.7],[6, 1, 0, 2])
---->
SELECT arrayPartialReverseSort(2, [5, 9, 1, 3])
---->
SELECT arrayPartialReverseSort(2, ['expenses','lasso','embolism','gladly'])
---->
SELECT arrayResize(arrayPartialReverseSort(2, [5, 9, 1, 3]), 2)
---->
SELECT arrayPartialReverseSort((x) -> -x, 2, [5, 9, 1, 3])
---->
SELECT arrayPartialReverseSort((x, y) -> -y, 1, [0, 1, 2], [1, 2, 3]) as res
---->
SELECT arrayPartialShuffle([1, 2, 3, 4], 0)
---->
SELECT arrayPartialShuffle([1, 2, 3, 4])
---->
SELECT arrayPartialShuffle([1, 2, 3, 4], 2)
---->
SELECT arrayPartialShuffle([1, 2, 3, 4], 2, 41)
---->
SELECT arrayPartialShuffle(materialize([1, 2, 3, 4]), 2, 42), arrayPartialShuffle([1, 2, 3], 2, 42) FROM numbers(10)
---->
SELECT arrayPartialSort(2, [5, 9, 1, 3])
---->
SELECT arrayPartialSort(2, ['expenses', 'lasso', 'embolism', 'gladly'])
---->
SELECT arrayResize(arrayPartialSort(2, [5, 9, 1, 3]), 2)
---->
SELECT arrayPartialSort((x) -> -x, 2, [5, 9, 1, 3])
---->
SELECT arrayPartialSort((x, y) -> -y, 1, [0, 1, 2], [1, 2, 3]) as res
---->
arrayPopBack(arr)
---->
SELECT arrayPopBack([1, 2, 3]) AS res
---->
arrayPopFront(arr)
---->
SELECT arrayPopFront([1, 2, 3]) AS res
---->
SELECT arrayProduct([1, 2, 3, 4])
---->
SELECT arrayProduct(x, y -> x+y, [2, 2], [2, 2]) AS res
---->
arrayPushBack(arr, x)
---->
SELECT arrayPushBack(['a'], 'b') AS res
---->
arrayPushFront(arr, x)
---->
SELECT arrayPushFront(['b'], 'a') AS res
---->
SELECT arrayROCAUC([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
---->
arrayRandomSample(arr, samples)
---->
SELECT arrayRandomSample(['apple', 'banana', 'cherry', 'date'], 2) as res
---->
SELECT arrayRandomSample([[1, 2], [3, 4], [5, 6]], 2) as res
---->
SELECT arrayReduce('max', [1, 2, 3])
---->
--If an aggregate function takes multiple arguments, then this function must be applied to multiple arrays of the same size.

SELECT arrayReduce('maxIf', [3, 5], [1, 0])
---->
SELECT arrayReduce('uniqUpTo(3)', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
---->
SELECT arrayReduceInRanges(
    'sum',
    [(1, 5), (2, 3), (3, 4), (4, 4)],
    [1000000, 200000, 30000, 4000, 500, 60, 7]
) AS res
---->
arrayRemove(arr, elem)
---->
SELECT arrayRemove([1, 2, 2, 3], 2)
---->
SELECT arrayRemove(['a', NULL, 'b', NULL], NULL)
---->
SELECT arrayResize([1], 3)
---->
SELECT arrayResize([1], 3, NULL)
---->
arrayReverse(arr)
---->
SELECT arrayReverse([1, 2, 3])
---->
SELECT arrayReverseFill(x -> not isNull(x), [1, null, 2, null]) AS res
---->
SELECT arrayReverseFill(x, y, z -> x > y AND x < z, [5, 3, 6, 2], [4, 7, 1, 3], [10, 2, 8, 5]) AS res
---->
SELECT arrayReverseSort((x, y) -> y, [4, 3, 5], ['a', 'b', 'c']) AS res
---->
SELECT arrayReverseSort((x, y) -> -y, [4, 3, 5], [1, 2, 3]) AS res
---->
SELECT arrayReverseSplit((x, y) -> y, [1, 2, 3, 4, 5], [1, 0, 0, 1, 0]) AS res
---->
arrayRotateLeft(arr, n)
---->
SELECT arrayRotateLeft([1,2,3,4,5,6], 2) as res
---->
SELECT arrayRotateLeft([1,2,3,4,5,6], -2) as res
---->
arrayRotateRight(arr, n)
---->
SELECT arrayRotateRight([1,2,3,4,5,6], 2) as res
---->
SELECT arrayRotateRight([1,2,3,4,5,6], -2) as res
---->
SELECT arrayShiftLeft([1,2,3,4,5,6], 2) as res
---->
SELECT arrayShiftLeft([1,2,3,4,5,6], -2) as res
---->
SELECT arrayShiftLeft([1,2,3,4,5,6], 2, 42) as res
---->
SELECT arrayShiftRight([1, 2, 3, 4, 5, 6], 2) as res
---->
SELECT arrayShiftRight([1, 2, 3, 4, 5, 6], -2) as res
---->
SELECT arrayShiftRight([1, 2, 3, 4, 5, 6], 2, 42) as res
---->
arrayShingles(arr, l)
---->
SELECT arrayShingles([1, 2, 3, 4], 3) as res
---->
SELECT arrayShuffle([1, 2, 3, 4])
---->
SELECT arrayShuffle([1, 2, 3, 4], 41)
---->
arraySimilarity(from, to, from_weights, to_weights)
---->
SELECT arraySimilarity(['A', 'B', 'C'], ['A', 'K', 'L'], [1.0, 2, 3], [3.0, 4, 5])
---->
SELECT arraySlice([1, 2, NULL, 4, 5], 2, 3) AS res
---->
SELECT arraySort([1, 3, 3, 0])
---->
SELECT arraySort(['hello', 'world', '!'])
---->
SELECT arraySort([1, nan, 2, NULL, 3, nan, -4, NULL, inf, -inf])
---->
SELECT arraySplit((x, y) -> y, [1, 2, 3, 4, 5], [1, 0, 0, 1, 0]) AS res
---->
SELECT arrayStringConcat(['12/05/2021', '12:50:00'], ' ') AS DateString
---->
SELECT arraySum([1, 2, 3, 4])
---->
SELECT arraySum(x, y -> x+y, [1, 1, 1, 1], [1, 1, 1, 1])
---->
SELECT
arraySymmetricDifference([1, 2], [1, 2], [1, 2]) AS empty_symmetric_difference,
arraySymmetricDifference([1, 2], [1, 2], [1, 3]) AS non_empty_symmetric_difference
---->
SELECT arrayTopK(3, [1, 5, 2, 7, 3])
---->
SELECT arrayTopK(3, [1, NULL, 5, 2, NULL, 7])
---->
SELECT arrayTopK(5, [1, NULL, 2])
---->
SELECT arrayTopK((x) -> -x, 2, [5, 9, 1, 3])
---->
SELECT arrayTopK((x, y) -> y, 2, ['a', 'b', 'c'], [3, 1, 2])
---->
arrayTranspose(arr)
---->
SELECT arrayTranspose([[1, 2], [3, 4]])
---->
SELECT arrayTranspose([[1, 2, 3], [4, 5, 6]])
---->
SELECT arrayTranspose([['a', 'b'], ['c', 'd']])
---->
SELECT
arrayUnion([-2, 1], [10, 1], [-2], []) as num_example,
arrayUnion(['hi'], [], ['hello', 'hi']) as str_example,
arrayUnion([1, 3, NULL], [2, 3, NULL]) as null_example
---->
SELECT arrayUniq([1, 1, 2, 2])
---->
SELECT arrayUniq([1, 2, 3, 1], [4, 5, 6, 4])
---->
arrayWithConstant(N, x)
---->
SELECT arrayWithConstant(3, 1)
---->
SELECT arrayZip(['a', 'b', 'c'], [5, 2, 1])
---->
SELECT arrayZipUnaligned(['a'], [1, 2, 3])
---->
SELECT * FROM arrowstream('my_data')
---->
ascii(s)
---->
SELECT ascii('234')
---->
asin(x)
---->
SELECT asin(1.0) = pi() / 2, sin(asin(1)), asin(sin(1))
---->
SELECT toTypeName(asin(1.0::Float32))
---->
SELECT asin(1.1), asin(-2), asin(inf), asin(nan)
---->
asinh(x)
---->
SELECT asinh(0)
---->
assumeNotNull(x)
---->
CREATE TABLE t_null (x Int8, y Nullable(Int8))
ENGINE=MergeTree()
ORDER BY x
---->
SELECT assumeNotNull(y) FROM t_null
---->
SELECT toTypeName(assumeNotNull(y)) FROM t_null
---->
atan(x)
---->
SELECT atan(1)
---->
atan2(y, x)
---->
SELECT atan2(1, 1)
---->
atanh(x)
---->
SELECT atanh(0)
---->
authenticatedUser()
---->
EXECUTE as u1
---->
SELECT currentUser(), authenticatedUser()
---->
avg(x)
---->
SELECT avg(x) FROM VALUES('x Int8', 0, 1, 2, 3, 4, 5)
---->
CREATE TABLE test (t UInt8) ENGINE = Memory
---->
SELECT avg(t) FROM test
---->
SELECT avg2(toUInt8(3), 1.0) AS result, toTypeName(result) AS type
---->
SELECT avg2(toDecimal32(1, 2), 2) AS result, toTypeName(result) AS type
---->
SELECT avg2(toDate('2025-01-01'), toDate('2025-01-05')) AS result, toTypeName(result) AS type
---->
SELECT avg2(toDateTime('2025-01-01 00:00:00'), toDateTime('2025-01-03 12:00:00')) AS result, toTypeName(result) AS type
---->
SELECT avg2(toTime64('12:00:00', 0), toTime64('14:00:00', 0)) AS result, toTypeName(result) AS type
---->
avgWeighted(x, weight)
---->
SELECT avgWeighted(x, w)
FROM VALUES('x Int8, w Int8', (4, 1), (1, 0), (10, 2))
---->
SELECT avgWeighted(x, w)
FROM VALUES('x Int8, w Float64', (4, 1), (1, 0), (10, 2))
---->
SELECT avgWeighted(x, w)
FROM VALUES('x Int8, w Int8', (0, 0), (1, 0), (10, 0))
---->
SELECT avgWeighted(t, t) FROM test
---->
CREATE NAMED COLLECTION azure_my_data AS
    storage_account_url = 'https://myaccount.blob.core.windows.net/',
    container = 'mycontainer',
    blob_path = 'data/*.parquet',
    account_name = 'myaccount',
    account_key = 'mykey...==',
    format = 'Parquet'
---->
SELECT *
FROM azureBlobStorage(azure_my_data)
LIMIT 5
---->
SELECT *
FROM azureBlobStorage(azure_my_data, blob_path = 'other_data/*.csv', format = 'CSVWithNames')
LIMIT 5
---->
SELECT *
FROM azureBlobStorage(
    'https://myaccount.blob.core.windows.net/',
    'mycontainer',
    'data/*.parquet',
    'myaccount',
    'mykey...==',
    'Parquet'
)
LIMIT 5
---->
SELECT *
FROM azureBlobStorage(
    'DefaultEndpointsProtocol=https;AccountName=myaccount;AccountKey=mykey...==;EndPointSuffix=core.windows.net',
    'mycontainer',
    'data/*.csv',
    'CSVWithNames'
)
LIMIT 5
---->
INSERT INTO TABLE FUNCTION azureBlobStorage(
    'DefaultEndpointsProtocol=https;AccountName=myaccount;AccountKey=mykey...==;EndPointSuffix=core.windows.net',
    'mycontainer',
    'test_{_partition_id}.csv',
    'CSV',
    'auto',
    'wildcard',
    'column1 UInt32, column2 UInt32, column3 UInt32'
) PARTITION BY column3
VALUES (1, 2, 3), (3, 2, 1), (78, 43, 3)
---->
SELECT *
FROM azureBlobStorage(
    'DefaultEndpointsProtocol=https;AccountName=myaccount;AccountKey=mykey...==;EndPointSuffix=core.windows.net',
    'mycontainer',
    'test_1.csv',
    'CSV',
    'auto',
    'column1 UInt32, column2 UInt32, column3 UInt32'
)
---->
INSERT INTO TABLE FUNCTION azureBlobStorage(
    azure_conf2,
    storage_account_url = 'https://myaccount.blob.core.windows.net/',
    container = 'cont',
    blob_path = 'azure_table_root',
    format = 'CSVWithNames',
    compression = 'auto',
    structure = 'year UInt16, country String, id Int32',
    partition_strategy = 'hive'
) PARTITION BY (year, country)
VALUES (2020, 'Russia', 1), (2021, 'Brazil', 2)
---->
SELECT * FROM azureBlobStorage(config, storage_account_url='...', container='...', blob_path='http://data/path/date=*/country=*/code=*/*.parquet') WHERE date > '2020-01-01' AND country = 'Netherlands' AND code = 42
---->
SELECT count(*) FROM azureBlobStorageCluster(
        'cluster_simple', 'http://azurite1:10000/devstoreaccount1', 'testcontainer', 'test_cluster_count.csv', 'devstoreaccount1',
        'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==', 'CSV',
        'auto', 'key UInt64')
---->
disk(type = azure_blob_storage, storage_account_url = '...', container_name = '...')
---->
SELECT
toHour(EventTime) AS h,
count() AS c,
bar(c, 0, 600000, 20) AS bar
FROM test.hits
GROUP BY h
ORDER BY h ASC
---->
base32Decode(encoded)
---->
SELECT base32Decode('IVXGG33EMVSA====')
---->
base32Encode(plaintext)
---->
SELECT base32Encode('Encoded')
---->
SELECT base58Decode('JxF12TrwUP45BMd')
---->
base58Encode(plaintext)
---->
SELECT base58Encode('ClickHouse')
---->
base64Decode(encoded)
---->
SELECT base64Decode('Y2xpY2tob3VzZQ==')
---->
base64Encode(plaintext)
---->
SELECT base64Encode('clickhouse')
---->
base64URLDecode(encoded)
---->
SELECT base64URLDecode('aHR0cHM6Ly9jbGlja2hvdXNlLmNvbQ')
---->
base64URLEncode(plaintext)
---->
SELECT base64URLEncode('https://clickhouse.com')
---->
basename(expr)
---->
SELECT 'some/long/path/to/file' AS a, basename(a)
---->
SELECT 'some\\long\\path\\to\\file' AS a, basename(a)
---->
SELECT 'some-file-name' AS a, basename(a)
---->
bin(arg)
---->
SELECT bin(14)
---->
SELECT bin(toFloat32(number)) AS bin_presentation FROM numbers(15, 2)
---->
SELECT bin(toFloat64(number)) AS bin_presentation FROM numbers(15, 2)
---->
SELECT bin(toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')) AS bin_uuid
---->
bitAnd(a, b)
---->
CREATE TABLE bits
(
    `a` UInt8,
    `b` UInt8
)
ENGINE = Memory
---->
INSERT INTO bits VALUES (0, 0), (0, 1), (1, 0), (1, 1)
---->
SELECT
    a,
    b,
    bitAnd(a, b)
FROM bits
---->
bitCount(x)
---->
SELECT bin(333), bitCount(333)
---->
bitHammingDistance(x, y)
---->
SELECT bitHammingDistance(111, 121)
---->
bitNot(a)
---->
SELECT
    CAST('5', 'UInt8') AS original,
    bin(original) AS original_binary,
    bitNot(original) AS result,
    bin(bitNot(original)) AS result_binary
---->
bitOr(a, b)
---->
SELECT
    a,
    b,
    bitOr(a, b)
FROM bits
---->
bitPositionsToArray(arg)
---->
SELECT bitPositionsToArray(toInt8(1)) AS bit_positions
---->
SELECT bitPositionsToArray(toInt8(-1)) AS bit_positions
---->
bitRotateLeft(a, N)
---->
SELECT 99 AS a, bin(a), bitRotateLeft(a, 2) AS a_rotated, bin(a_rotated)
---->
bitRotateRight(a, N)
---->
SELECT 99 AS a, bin(a), bitRotateRight(a, 2) AS a_rotated, bin(a_rotated)
---->
bitShiftLeft(a, N)
---->
SELECT 99 AS a, bin(a), bitShiftLeft(a, 2) AS a_shifted, bin(a_shifted)
---->
SELECT 'abc' AS a, hex(a), bitShiftLeft(a, 4) AS a_shifted, hex(a_shifted)
---->
SELECT toFixedString('abc', 3) AS a, hex(a), bitShiftLeft(a, 4) AS a_shifted, hex(a_shifted)
---->
bitShiftRight(a, N)
---->
SELECT 101 AS a, bin(a), bitShiftRight(a, 2) AS a_shifted, bin(a_shifted)
---->
SELECT toFixedString('abc', 3) AS a, hex(a), bitShiftRight(a, 12) AS a_shifted, hex(a_shifted)
---->
SELECT bin('Hello'), bin(bitSlice('Hello', 1, 8))
---->
SELECT bin('Hello'), bin(bitSlice('Hello', 1, 2))
---->
SELECT bin('Hello'), bin(bitSlice('Hello', 1, 9))
---->
SELECT bin('Hello'), bin(bitSlice('Hello', -4, 8))
---->
bitTest(a, i)
---->
SELECT bin(2), bitTest(2, 1)
---->
SELECT bitTestAll(43, 0, 1, 3, 5)
---->
SELECT bitTestAll(43, 0, 1, 3, 5, 2)
---->
SELECT bitTestAny(43, 0, 2)
---->
SELECT bitTestAny(43, 4, 2)
---->
bitXor(a, b)
---->
SELECT
    a,
    b,
    bitXor(a, b)
FROM bits
---->
bitmapAnd(bitmap1, bitmap2)
---->
SELECT bitmapToArray(bitmapAnd(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
bitmapAndCardinality(bitmap1, bitmap2)
---->
SELECT bitmapAndCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
bitmapAndnot(bitmap1, bitmap2)
---->
SELECT bitmapToArray(bitmapAndnot(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
bitmapAndnotCardinality(bitmap1, bitmap2)
---->
SELECT bitmapAndnotCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
bitmapBuild(array)
---->
SELECT bitmapBuild([1, 2, 3, 4, 5]) AS res, toTypeName(res)
---->
bitmapCardinality(bitmap)
---->
SELECT bitmapCardinality(bitmapBuild([1, 3, 3, 5, 7, 7])) AS res
---->
bitmapContains(bitmap, value)
---->
SELECT bitmapContains(bitmapBuild([1, 2, 3]), 2) AS res
---->
bitmapHasAll(bitmap1, bitmap2)
---->
SELECT bitmapHasAll(bitmapBuild([1, 2, 3]), bitmapBuild([2, 3])) AS res
---->
bitmapHasAny(bitmap1, bitmap2)
---->
SELECT bitmapHasAny(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5])) AS res
---->
bitmapMax(bitmap)
---->
SELECT bitmapMax(bitmapBuild([1, 2, 3, 4, 5])) AS res
---->
bitmapMin(bitmap)
---->
SELECT bitmapMin(bitmapBuild([3, 5, 2, 6])) AS res
---->
bitmapOr(bitmap1, bitmap2)
---->
SELECT bitmapToArray(bitmapOr(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
bitmapOrCardinality(bitmap1, bitmap2)
---->
SELECT bitmapOrCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
bitmapSubsetInRange(bitmap, start, end)
---->
SELECT bitmapToArray(bitmapSubsetInRange(bitmapBuild([1, 2, 3, 4, 5]), 2, 5)) AS res
---->
bitmapSubsetLimit(bitmap, range_start, cardinality_limit)
---->
SELECT bitmapToArray(bitmapSubsetLimit(bitmapBuild([1, 5, 3, 2, 8]), 3, 2)) AS res
---->
bitmapToArray(bitmap)
---->
SELECT bitmapToArray(bitmapBuild([1, 2, 3, 4, 5])) AS res
---->
bitmapTransform(bitmap, from_array, to_array)
---->
SELECT bitmapToArray(bitmapTransform(bitmapBuild([1, 2, 3, 4, 5]), [2, 4], [20, 40])) AS res
---->
bitmapXor(bitmap1, bitmap2)
---->
SELECT bitmapToArray(bitmapXor(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
bitmapXorCardinality(bitmap1, bitmap2)
---->
SELECT bitmapXorCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
bitmaskToArray(num)
---->
SELECT bitmaskToArray(50) AS powers_of_two
---->
SELECT bitmaskToArray(8) AS powers_of_two
---->
bitmaskToList(num)
---->
SELECT bitmaskToList(50) AS powers_list
---->
blockNumber()
---->
SELECT blockNumber()
FROM
(
    SELECT *
    FROM system.numbers
    LIMIT 10
) SETTINGS max_block_size = 2
---->
SELECT blockSerializedSize(maxState(1)) AS x
---->
blockSize()
---->
SELECT blockSize()
FROM system.numbers LIMIT 5
---->
boundingRatio(x, y)
---->
SELECT
    number,
    number * 1.5
FROM numbers(10)
---->
SELECT boundingRatio(number, number * 1.5)
FROM numbers(10)
---->
buildId()
---->
SELECT buildId()
---->
byteHammingDistance(s1, s2)
---->
SELECT byteHammingDistance('karolin', 'kathrin')
---->
SELECT byteSize('string')
---->
SELECT byteSize(NULL, 1, 0.3, '')
---->
byteSwap(x)
---->
SELECT byteSwap(3351772109)
---->
SELECT byteSwap(54)
---->
SELECT byteSwap(4135)
---->
SELECT byteSwap(123294967295)
---->
disk(type = cache, disk = remote_disk, path = '/var/lib/clickhouse/disk_cache/', max_size = '10Gi')
---->
caseFoldUTF8(str)
---->
SELECT caseFoldUTF8('Straße')
---->
SET cast_keep_nullable = 0
---->
SELECT CAST(toNullable(toInt32(0)) AS Int32) as x, toTypeName(x)
---->
SET cast_keep_nullable = 1
---->
SELECT catboostEvaluate('/var/lib/clickhouse/user_files/occupy.bin', Temperature, Humidity, Light, CO2, HumidityRatio) AS prediction FROM occupancy LIMIT 1
---->
-- Using the metrica.hits dataset (available on https://sql.clickhouse.com/) to analyze age-mobile relationship
SELECT categoricalInformationValue(Age < 15, IsMobile)
FROM metrica.hits
---->
SELECT categoricalInformationValue(
    Sex,                 -- 0=male, 1=female
    toUInt8(Age < 25),   -- 0=25+, 1=under 25
    toUInt8(IsMobile)    -- 0=desktop, 1=mobile
) AS iv_values
FROM metrica.hits
WHERE Sex IN (0, 1)
---->
cbrt(x)
---->
SELECT cbrt(8)
---->
SELECT ceiling(123.45, 1) AS rounded
---->
SELECT ceiling(123.45, -1)
---->
changeDay(date_or_datetime, value)
---->
SELECT changeDay('2024-01-31'::DateTime, 15)
---->
changeHour(date_or_datetime, value)
---->
SELECT changeHour('2024-01-01 12:00:00'::DateTime, 5)
---->
changeMinute(date_or_datetime, value)
---->
SELECT changeMinute('2024-01-01 12:30:00'::DateTime, 45)
---->
changeMonth(date_or_datetime, value)
---->
SELECT changeMonth('2024-01-01'::DateTime, 12)
---->
changeSecond(date_or_datetime, value)
---->
SELECT changeSecond('2024-01-01 12:30:45'::DateTime, 15)
---->
changeYear(date_or_datetime, value)
---->
SELECT changeYear('2024-01-01'::DateTime, 2023)
---->
SELECT char(104.1, 101, 108.9, 108.9, 111) AS hello
---->
-- You can construct a string of arbitrary encoding by passing the corresponding bytes.
-- for example UTF8
SELECT char(0xD0, 0xBF, 0xD1, 0x80, 0xD0, 0xB8, 0xD0, 0xB2, 0xD0, 0xB5, 0xD1, 0x82) AS hello
---->
SELECT chdb()
---->
SELECT cityHash64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS CityHash, toTypeName(CityHash) AS type
---->
CREATE TABLE users (
    id UInt32,
    name String,
    age UInt8,
    city String
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO users VALUES
(1, 'Alice', 25, 'New York'),
(2, 'Bob', 30, 'London'),
(3, 'Charlie', 35, 'Tokyo')
---->
SELECT groupBitXor(cityHash64(*)) FROM users
---->
clamp(value, min, max)
---->
SELECT clamp(5, 1, 10) AS result
---->
SELECT clamp(-3, 0, 7) AS result
---->
SELECT clamp(15, 0, 7) AS result
---->
SELECT * FROM cluster('{cluster}', default.example_table)
---->
-- Consider a list of contacts that may specify multiple ways to contact a customer.

CREATE TABLE aBook
(
    name String,
    mail Nullable(String),
    phone Nullable(String),
    telegram Nullable(UInt32)
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO aBook VALUES ('client 1', NULL, '123-45-67', 123), ('client 2', NULL, NULL, NULL)
---->
-- The mail and phone fields are of type String, but the telegram field is UInt32 so it needs to be converted to String.

-- Get the first available contact method for the customer from the contact list

SELECT name, coalesce(mail, phone, CAST(telegram,'Nullable(String)')) FROM aBook
---->
SELECT colorOKLABToSRGB((0.4466, 0.0991, 0.44)) AS rgb
---->
WITH colorOKLABToSRGB((0.7, 0.1, 0.54)) AS t
SELECT tuple(toUInt8(t.1), toUInt8(t.2), toUInt8(t.3)) AS RGB
---->
SELECT colorOKLCHToSRGB((0.6, 0.12, 40)) AS rgb
---->
WITH colorOKLCHToSRGB((0.6, 0.12, 40)) AS t
SELECT tuple(toUInt8(t.1), toUInt8(t.2), toUInt8(t.3)) AS RGB
---->
SELECT colorSRGBToOKLAB((128, 64, 32), 2.2) AS lab
---->
SELECT colorSRGBToOKLCH((128, 64, 32), 2.2) AS lch
---->
compareSubstrings(s1, s2, s1_offset, s2_offset, num_bytes)
---->
SELECT compareSubstrings('Saxony', 'Anglo-Saxon', 0, 6, 5) AS result
---->
LAYOUT(COMPLEX_KEY_DIRECT())
---->
LAYOUT(COMPLEX_KEY_HASHED())
---->
LAYOUT(COMPLEX_KEY_HASHED_ARRAY())
---->
LAYOUT(COMPLEX_KEY_RANGE_HASHED())
---->
LAYOUT(COMPLEX_KEY_SPARSE_HASHED())
---->
SELECT concat('Hello, ', 'World!')
---->
SELECT concat(42, 144)
---->
SELECT concat(key1, key2), sum(value) FROM key_val GROUP BY concatAssumeInjective(key1, key2)
---->
SELECT concatWithSeparator('a', '1', '2', '3', '4')
---->
CREATE TABLE user_data (
user_id UInt32,
first_name String,
last_name String,
score UInt32
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO user_data VALUES
(1, 'John', 'Doe', 100),
(2, 'Jane', 'Smith', 150),
(3, 'John', 'Wilson', 120),
(4, 'Jane', 'Smith', 90)
---->
SELECT
    concatWithSeparatorAssumeInjective('-', first_name, last_name) as full_name,
    sum(score) as total_score
FROM user_data
GROUP BY concatWithSeparatorAssumeInjective('-', first_name, last_name)
---->
connectionId()
---->
SELECT connectionId()
---->
contingency(column1, column2)
---->
SELECT
    cramersV(a, b),
    contingency(a, b)
FROM
(
    SELECT
        number % 10 AS a,
        number % 4 AS b
    FROM
        numbers(150)
)
---->
conv(number, from_base, to_base)
---->
SELECT conv('10', 10, 2)
---->
SELECT conv('FF', 16, 10)
---->
SELECT conv('-1', 10, 16)
---->
SELECT conv('1010', 2, 8)
---->
convertCharset(s, from, to)
---->
SELECT convertCharset('Café', 'UTF-8', 'ISO-8859-1')
---->
EXPLAIN SYNTAX
SELECT *
FROM
(
    SELECT number AS x
    FROM numbers(20)
) AS a
WHERE ((x >= 1) AND (x <= 5)) OR ((x >= 10) AND (x <= 15))
SETTINGS convert_query_to_cnf = false
---->
EXPLAIN SYNTAX
SELECT *
FROM
(
    SELECT number AS x
    FROM numbers(20)
) AS a
WHERE ((x >= 1) AND (x <= 5)) OR ((x >= 10) AND (x <= 15))
SETTINGS convert_query_to_cnf = true
---->
corr(x, y)
---->
DROP TABLE IF EXISTS series
---->
CREATE TABLE series
(
    i UInt32,
    x_value Float64,
    y_value Float64
)
ENGINE = Memory
---->
INSERT INTO series(i, x_value, y_value) VALUES (1, 5.6, -4.4),(2, -9.6, 3),(3, -1.3, -4),(4, 5.3, 9.7),(5, 4.4, 0.037),(6, -8.6, -7.8),(7, 5.1, 9.3),(8, 7.9, -3.6),(9, -8.2, 0.62),(10, -3, 7.3)
---->
SELECT corr(x_value, y_value)
FROM series
---->
DROP TABLE IF EXISTS test
---->
CREATE TABLE test
(
    a UInt32,
    b Float64,
    c Float64,
    d Float64
)
ENGINE = Memory
---->
INSERT INTO test(a, b, c, d) VALUES (1, 5.6, -4.4, 2.6), (2, -9.6, 3, 3.3), (3, -1.3, -4, 1.2), (4, 5.3, 9.7, 2.3), (5, 4.4, 0.037, 1.222), (6, -8.6, -7.8, 2.1233), (7, 5.1, 9.3, 8.1222), (8, 7.9, -3.6, 9.837), (9, -8.2, 0.62, 8.43555), (10, -3, 7.3, 6.762)
---->
SELECT arrayMap(x -> round(x, 3), arrayJoin(corrMatrix(a, b, c, d))) AS corrMatrix
FROM test
---->
corrStable(x, y)
---->
SELECT corrStable(x_value, y_value)
FROM series
---->
cos(x)
---->
SELECT cos(0)
---->
cosh(x)
---->
SELECT cosh(0)
---->
cosineDistance(vector1, vector2)
---->
SELECT cosineDistance((1, 2), (2, 3))
---->
SELECT cosineDistanceTransposed(vec, array(1, 2), 16) FROM qbit
---->
SELECT cosineDistanceTransposedQuantized(vec, [0.1, -0.5]::Array(Float32), 8) FROM qbit
---->
SELECT * FROM cosn(url, access_key_id, secret_access_key)
---->
count([expr])
---->
SELECT count() FROM t
---->
-- This example shows that `count(DISTINCT num)` is performed by the `uniqExact` function according to the `count_distinct_implementation` setting value.
SELECT name, value FROM system.settings WHERE name = 'count_distinct_implementation'
---->
SELECT count(DISTINCT num) FROM t
---->
countDigits(x)
---->
SELECT countDigits(toDecimal32(1, 9)), countDigits(toDecimal32(-1, 9)),
       countDigits(toDecimal64(1, 18)), countDigits(toDecimal64(-1, 18)),
       countDigits(toDecimal128(1, 38)), countDigits(toDecimal128(-1, 38))
---->
countEqual(arr, x)
---->
SELECT countEqual([1, 2, NULL, NULL], NULL)
---->
countMatches(haystack, pattern)
---->
SELECT countMatches('hello 123 world 456 test', '[0-9]+')
---->
countMatchesCaseInsensitive(haystack, pattern)
---->
SELECT countMatchesCaseInsensitive('Hello HELLO world', 'hello')
---->
SELECT countSubstrings('aaaa', 'aa')
---->
SELECT countSubstrings('abc___abc', 'abc', 4)
---->
SELECT countSubstringsCaseInsensitive('AAAA', 'aa')
---->
SELECT countSubstringsCaseInsensitive('abc___ABC___abc', 'abc', 4)
---->
SELECT countSubstringsCaseInsensitiveUTF8('ложка, кошка, картошка', 'КА')
---->
SELECT countSubstringsCaseInsensitiveUTF8('ложка, кошка, картошка', 'КА', 13)
---->
covarPop(x, y)
---->
CREATE TABLE series(i UInt32, x_value Float64, y_value Float64) ENGINE = Memory
---->
SELECT covarPop(x_value, y_value)
FROM series
---->
SELECT arrayMap(x -> round(x, 3), arrayJoin(covarPopMatrix(a, b, c, d))) AS covarPopMatrix
FROM test
---->
covarPopStable(x, y)
---->
INSERT INTO series(i, x_value, y_value) VALUES (1, 5.6,-4.4),(2, -9.6,3),(3, -1.3,-4),(4, 5.3,9.7),(5, 4.4,0.037),(6, -8.6,-7.8),(7, 5.1,9.3),(8, 7.9,-3.6),(9, -8.2,0.62),(10, -3,7.3)
---->
SELECT covarPopStable(x_value, y_value)
FROM series
---->
covarSamp(x, y)
---->
SELECT covarSamp(x_value, y_value)
FROM series
---->
SELECT covarSamp(x_value, y_value)
FROM series LIMIT 1
---->
SELECT arrayMap(x -> round(x, 3), arrayJoin(covarSampMatrix(a, b, c, d))) AS covarSampMatrix
FROM test
---->
covarSampStable(x, y)
---->
SELECT covarSampStable(x_value, y_value)
FROM
(
    SELECT
        x_value,
        y_value
    FROM series
)
---->
SELECT covarSampStable(x_value, y_value)
FROM
(
    SELECT
        x_value,
        y_value
    FROM series LIMIT 1
)
---->
cramersV(column1, column2)
---->
SELECT
    cramersV(a, b)
FROM
    (
        SELECT
            number % 3 AS a,
            number % 5 AS b
        FROM
            numbers(150)
    )
---->
SELECT
    cramersV(a, b)
FROM
    (
        SELECT
            number % 10 AS a,
            if (number % 12 = 0, (number + 1) % 5, number % 5) AS b
        FROM
            numbers(150)
    )
---->
cramersVBiasCorrected(column1, column2)
---->
SELECT
    cramersV(a, b),
    cramersVBiasCorrected(a, b)
FROM
    (
        SELECT
            number % 10 AS a,
            number % 4 AS b
        FROM
            numbers(150)
    )
---->
CREATE TABLE salaries
(
    `team` String,
    `player` String,
    `salary` UInt32,
    `position` String
)
Engine = Memory
---->
INSERT INTO salaries FORMAT Values
    ('Port Elizabeth Barbarians', 'Gary Chen', 195000, 'F'),
    ('New Coreystad Archdukes', 'Charles Juarez', 190000, 'F'),
    ('Port Elizabeth Barbarians', 'Michael Stanley', 150000, 'D'),
    ('New Coreystad Archdukes', 'Scott Harrison', 150000, 'D'),
    ('Port Elizabeth Barbarians', 'Robert George', 195000, 'M'),
    ('South Hampton Seagulls', 'Douglas Benson', 150000, 'M'),
    ('South Hampton Seagulls', 'James Henderson', 140000, 'M')
---->
SELECT player, salary,
       cume_dist() OVER (ORDER BY salary DESC) AS cume_dist
FROM salaries
---->
currentDatabase()
---->
SELECT currentDatabase()
---->
SELECT CURRENT_DATABASE
---->
currentProfiles()
---->
SELECT currentProfiles()
---->
currentQueryID()
---->
SELECT currentQueryID()
---->
currentRoles()
---->
SELECT currentRoles()
---->
currentSchemas(bool)
---->
SELECT currentSchemas(true)
---->
currentUser()
---->
SELECT currentUser()
---->
SELECT CURRENT_USER
---->
cutFragment(url)
---->
SELECT cutFragment('http://example.com/path?query=value#fragment123')
---->
cutIPv6(x, bytesToCutForIPv6, bytesToCutForIPv4)
---->
WITH
    IPv6StringToNum('2001:0DB8:AC10:FE01:FEED:BABE:CAFE:F00D') AS ipv6,
    IPv4ToIPv6(IPv4StringToNum('192.168.0.1')) AS ipv4
SELECT
    cutIPv6(ipv6, 2, 0),
    cutIPv6(ipv4, 0, 2)
---->
cutQueryString(url)
---->
SELECT cutQueryString('http://example.com/path?query=value&param=123#fragment')
---->
cutQueryStringAndFragment(url)
---->
SELECT cutQueryStringAndFragment('http://example.com/path?query=value&param=123#fragment')
---->
cutToFirstSignificantSubdomain(url)
---->
SELECT
    cutToFirstSignificantSubdomain('https://news.clickhouse.com.tr/'),
    cutToFirstSignificantSubdomain('www.tr'),
    cutToFirstSignificantSubdomain('tr')
---->
cutToFirstSignificantSubdomainCustom(url, tld_list_name)
---->
SELECT cutToFirstSignificantSubdomainCustom('bar.foo.there-is-no-such-domain', 'public_suffix_list')
---->
cutToFirstSignificantSubdomainCustomRFC(url, tld_list_name)
---->
SELECT cutToFirstSignificantSubdomainCustomRFC('www.foo', 'public_suffix_list')
---->
cutToFirstSignificantSubdomainCustomWithWWW(url, tld_list_name)
---->
SELECT cutToFirstSignificantSubdomainCustomWithWWW('www.foo', 'public_suffix_list')
---->
cutToFirstSignificantSubdomainCustomWithWWWRFC(url, tld_list_name)
---->
SELECT cutToFirstSignificantSubdomainCustomWithWWWRFC('https://www.subdomain.example.custom', 'public_suffix_list')
---->
cutToFirstSignificantSubdomainRFC(url)
---->
SELECT
    cutToFirstSignificantSubdomain('http://user:password@example.com:8080'),
    cutToFirstSignificantSubdomainRFC('http://user:password@example.com:8080')
---->
cutToFirstSignificantSubdomainWithWWW(url)
---->
SELECT
    cutToFirstSignificantSubdomainWithWWW('https://news.clickhouse.com.tr/'),
    cutToFirstSignificantSubdomainWithWWW('www.tr'),
    cutToFirstSignificantSubdomainWithWWW('tr')
---->
cutToFirstSignificantSubdomainWithWWWRFC(url)
---->
SELECT
    cutToFirstSignificantSubdomainWithWWW('http:%2F%2Fwwwww.nova@mail.ru/economicheskiy'),
    cutToFirstSignificantSubdomainWithWWWRFC('http:%2F%2Fwwwww.nova@mail.ru/economicheskiy')
---->
cutURLParameter(url, name)
---->
SELECT
    cutURLParameter('http://bigmir.net/?a=b&c=d&e=f#g', 'a') AS url_without_a,
    cutURLParameter('http://bigmir.net/?a=b&c=d&e=f#g', ['c', 'e']) AS url_without_c_and_e
---->
cutWWW(url)
---->
SELECT cutWWW('http://www.example.com/path?query=value#fragment')
---->
damerauLevenshteinDistance(s1, s2)
---->
SELECT damerauLevenshteinDistance('clickhouse', 'mouse')
---->
SELECT dateDiff('hour', toDateTime('2018-01-01 22:00:00'), toDateTime('2018-01-02 23:00:00')) AS res
---->
SELECT
    toDate('2022-01-01') AS e,
    toDate('2021-12-29') AS s,
    dateDiff('day', s, e) AS day_diff,
    dateDiff('month', s, e) AS month_diff,
    dateDiff('year', s, e) AS year_diff
---->
WITH toDateTime('2021-04-14 11:22:33') AS date_value
SELECT
    dateName('year', date_value),
    dateName('month', date_value),
    dateName('day', date_value)
---->
SELECT dateTime64ToSnowflakeID(toDateTime64('2021-08-15 18:57:56', 3, 'Asia/Shanghai'))
---->
SELECT dateTimeToSnowflakeID(toDateTime('2021-08-15 18:57:56', 'Asia/Shanghai'))
---->
dateTimeToUUIDv7(value)
---->
SELECT dateTimeToUUIDv7(toDateTime('2021-08-15 18:57:56', 'Asia/Shanghai'))
---->
SELECT dateTimeToUUIDv7(toDateTime('2021-08-15 18:57:56'))
---->
SELECT now(), dateTrunc('hour', now())
---->
SELECT now(), dateTrunc('hour', now(), 'Asia/Istanbul')
---->
decodeHTMLComponent(s)
---->
SELECT decodeHTMLComponent('&lt;div&gt;Hello &amp; &quot;World&quot;&lt;/div&gt;')
---->
decodeURLComponent(url)
---->
SELECT decodeURLComponent('http://127.0.0.1:8123/?query=SELECT%201%3B') AS DecodedURL
---->
decodeURLFormComponent(url)
---->
SELECT decodeURLFormComponent('http://127.0.0.1:8123/?query=SELECT%201+2%2B3') AS DecodedURL
---->
decodeXMLComponent(s)
---->
SELECT decodeXMLComponent('&lt;tag&gt;Hello &amp; World&lt;/tag&gt;')
---->
-- Re-using the table from the encrypt function example
SELECT comment, hex(secret) FROM encryption_test
---->
SELECT comment, decrypt('aes-256-cfb128', secret, '12345678910121314151617181920212') AS plaintext FROM encryption_test
---->
defaultProfiles()
---->
SELECT defaultProfiles()
---->
defaultRoles()
---->
SELECT defaultRoles()
---->
defaultValueOfArgumentType(expression)
---->
SELECT defaultValueOfArgumentType(CAST(1 AS Int8))
---->
SELECT defaultValueOfArgumentType(CAST(1 AS Nullable(Int8)))
---->
defaultValueOfTypeName(type)
---->
SELECT defaultValueOfTypeName('Int8')
---->
SELECT defaultValueOfTypeName('Nullable(Int8)')
---->
SET default_table_engine = 'Log'
---->
SELECT name, value, changed FROM system.settings WHERE name = 'default_table_engine'
---->
CREATE TABLE my_table (
    x UInt32,
    y UInt32
)
---->
SHOW CREATE TABLE my_table
---->
SET default_temporary_table_engine = 'Log'
---->
CREATE TEMPORARY TABLE my_table (
    x UInt32,
    y UInt32
)
---->
SHOW CREATE TEMPORARY TABLE my_table
---->
degrees(x)
---->
SELECT degrees(3.141592653589793)
---->
SELECT
    URL,
    UserAgent
FROM deltaLake('https://clickhouse-public-datasets.s3.amazonaws.com/delta_lake/hits/')
WHERE URL IS NOT NULL
LIMIT 2
---->
SET allow_delta_lake_writes=1
---->
INSERT INTO TABLE FUNCTION deltaLake('s3://ch-docs-s3-bucket/people_10k/', '<access_key>', '<secret>') VALUES (10001, 'John', 'Smith', 'Male', 30)
---->
SELECT *
FROM deltaLake('s3://ch-docs-s3-bucket/people_10k/', '<access_key>', '<secret>')
WHERE (firstname = 'John') AND (lastname = 'Smith')
---->
SELECT * FROM deltaLakeLocal(path)
---->
SELECT * FROM deltaLakeS3(url, access_key_id, secret_access_key)
---->
SELECT * FROM deltaLakeS3Cluster(cluster, url, access_key_id, secret_access_key)
---->
SELECT deltaSum(arrayJoin([1, 2, 3]))
---->
SELECT deltaSum(arrayJoin([1, 2, 3, 0, 3, 4, 2, 3]))
---->
SELECT deltaSum(arrayJoin([2.25, 3, 4.5]))
---->
deltaSumTimestamp(value, timestamp)
---->
SELECT deltaSumTimestamp(value, timestamp)
FROM (SELECT number AS timestamp, [0, 4, 8, 3, 0, 0, 0, 1, 3, 5][number] AS value FROM numbers(1, 10))
---->
demangle(symbol)
---->
SELECT player, salary,
       dense_rank() OVER (ORDER BY salary DESC) AS dense_rank
FROM salaries
---->
dequantizeInt8ToBFloat16(x)
---->
SELECT round(toFloat32(dequantizeInt8ToBFloat16(quantizeBFloat16ToInt8(0.5::BFloat16))), 4)
---->
dictGet('dict_name', attr_names, id_expr)
---->
CREATE TABLE ext_dict_test_source (id UInt32, c1 UInt32, c2 String) ENGINE = Memory
---->
INSERT INTO ext_dict_test_source VALUES (1, 1, '1'), (2, 2, '2'), (3, 3, '3')
---->
CREATE DICTIONARY ext_dict_test (id UInt32, c1 UInt32, c2 String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'ext_dict_test_source' DB currentDatabase())) LAYOUT(FLAT()) LIFETIME(MIN 0 MAX 0)
---->
SELECT dictGet('ext_dict_test', 'c1', toUInt64(1)) AS val
---->
CREATE TABLE dict_mult_source (id UInt32, c1 UInt32, c2 String) ENGINE = Memory
---->
INSERT INTO dict_mult_source VALUES (1, 1, '1'), (2, 2, '2'), (3, 3, '3')
---->
CREATE DICTIONARY ext_dict_mult (id UInt32, c1 UInt32, c2 String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'dict_mult_source' DB currentDatabase())) LAYOUT(FLAT()) LIFETIME(MIN 0 MAX 0)
---->
SELECT
    dictGet('ext_dict_mult', ('c1','c2'), number + 1) AS val,
    toTypeName(val) AS type
FROM system.numbers
LIMIT 3
---->
CREATE TABLE regexp_os (id UInt64, parent_id UInt64, regexp String, keys Array(String), values Array(String)) ENGINE = Memory
---->
INSERT INTO regexp_os VALUES
    (1, 0, 'Linux',      ['os_replacement'], ['Linux']),
    (2, 1, 'Android',    ['os_replacement'], ['Android']),
    (3, 2, 'Android 1',  ['os_replacement'], ['Android']),
    (4, 3, 'Android 12', ['os_replacement'], ['Android'])
---->
CREATE DICTIONARY regexp_tree (regexp String, os_replacement String DEFAULT 'Other') PRIMARY KEY regexp SOURCE(CLICKHOUSE(TABLE 'regexp_os' DB currentDatabase())) LIFETIME(MIN 0 MAX 0) LAYOUT(REGEXP_TREE)
---->
SELECT
    'Mozilla/5.0 (Linux; Android 12; SM-G998B) Mobile Safari/537.36' AS user_agent,

    -- This will match ALL applicable patterns
    dictGetAll('regexp_tree', 'os_replacement', 'Mozilla/5.0 (Linux; Android 12; SM-G998B) Mobile Safari/537.36') AS all_matches,

    -- This returns only the first match
    dictGet('regexp_tree', 'os_replacement', 'Mozilla/5.0 (Linux; Android 12; SM-G998B) Mobile Safari/537.36') AS first_match
---->
dictGetChildren(dict_name, key)
---->
CREATE TABLE hierarchy_source (id UInt64, parent_id UInt64, name String) ENGINE = Memory
---->
INSERT INTO hierarchy_source VALUES (0, 0, 'Root'), (1, 0, 'Level 1 - Node 1'), (2, 1, 'Level 2 - Node 2'), (3, 1, 'Level 2 - Node 3'), (4, 2, 'Level 3 - Node 4'), (5, 2, 'Level 3 - Node 5'), (6, 3, 'Level 3 - Node 6')
---->
CREATE DICTIONARY hierarchical_dictionary (id UInt64, parent_id UInt64 HIERARCHICAL, name String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'hierarchy_source' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetChildren('hierarchical_dictionary', 2)
---->
dictGetDate(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, Date_value Date) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '2020-01-01')
---->
CREATE DICTIONARY all_types_dict (id UInt32, Date_value Date) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetDate('all_types_dict', 'Date_value', 1)
---->
dictGetDateOrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
INSERT INTO all_types_test VALUES (1, '2024-01-15')
---->
-- for key which exists
SELECT dictGetDate('all_types_dict', 'Date_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetDateOrDefault('all_types_dict', 'Date_value', 999, toDate('1970-01-01'))
---->
dictGetDateTime(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, DateTime_value DateTime) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '2024-01-15 10:30:00')
---->
CREATE DICTIONARY all_types_dict (id UInt32, DateTime_value DateTime) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetDateTime('all_types_dict', 'DateTime_value', 1)
---->
dictGetDateTimeOrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetDateTime('all_types_dict', 'DateTime_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetDateTimeOrDefault('all_types_dict', 'DateTime_value', 999, toDateTime('1970-01-01 00:00:00'))
---->
dictGetDescendants(dict_name, key, level)
---->
-- consider the following hierarchical dictionary:
-- 0 (Root)
-- └── 1 (Level 1 - Node 1)
--     ├── 2 (Level 2 - Node 2)
--     │   ├── 4 (Level 3 - Node 4)
--     │   └── 5 (Level 3 - Node 5)
--     └── 3 (Level 2 - Node 3)
--         └── 6 (Level 3 - Node 6)

SELECT dictGetDescendants('hierarchical_dictionary', 0, 2)
---->
dictGetFloat32(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, Float32_value Float32) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -123.123)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Float32_value Float32) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetFloat32('all_types_dict', 'Float32_value', 1)
---->
dictGetFloat32OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
INSERT INTO all_types_test VALUES (1, 123.45)
---->
-- for key which exists
SELECT dictGetFloat32('all_types_dict', 'Float32_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1.0)
SELECT dictGetFloat32OrDefault('all_types_dict', 'Float32_value', 999, -1.0)
---->
dictGetFloat64(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, Float64_value Float64) ENGINE = MergeTree() ORDER BY id
---->
CREATE DICTIONARY all_types_dict (id UInt32, Float64_value Float64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetFloat64('all_types_dict', 'Float64_value', 1)
---->
dictGetFloat64OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
INSERT INTO all_types_test VALUES (1, 987654.123456)
---->
-- for key which exists
SELECT dictGetFloat64('all_types_dict', 'Float64_value', 1)
---->
-- for key which does not exist, returns the provided default value (nan)
SELECT dictGetFloat64OrDefault('all_types_dict', 'Float64_value', 999, nan)
---->
dictGetHierarchy(dict_name, key)
---->
SELECT dictGetHierarchy('hierarchical_dictionary', 5)
---->
dictGetIPv4(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, IPv4_value IPv4) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '192.168.0.1')
---->
CREATE DICTIONARY all_types_dict (id UInt32, IPv4_value IPv4) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetIPv4('all_types_dict', 'IPv4_value', 1)
---->
dictGetIPv4OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetIPv4('all_types_dict', 'IPv4_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetIPv4OrDefault('all_types_dict', 'IPv4_value', 999, toIPv4('0.0.0.0'))
---->
dictGetIPv6(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, IPv6_value IPv6) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '2001:db8:85a3::8a2e:370:7334')
---->
CREATE DICTIONARY all_types_dict (id UInt32, IPv6_value IPv6) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetIPv6('all_types_dict', 'IPv6_value', 1)
---->
dictGetIPv6OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetIPv6('all_types_dict', 'IPv6_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetIPv6OrDefault('all_types_dict', 'IPv6_value', 999, '::1'::IPv6)
---->
dictGetInt16(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, Int16_value Int16) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -5000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int16_value Int16) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt16('all_types_dict', 'Int16_value', 1)
---->
dictGetInt16OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetInt16('all_types_dict', 'Int16_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt16OrDefault('all_types_dict', 'Int16_value', 999, -1)
---->
dictGetInt32(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, Int32_value Int32) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -1000000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int32_value Int32) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt32('all_types_dict', 'Int32_value', 1)
---->
dictGetInt32OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetInt32('all_types_dict', 'Int32_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt32OrDefault('all_types_dict', 'Int32_value', 999, -1)
---->
dictGetInt64(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, Int64_value Int64) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -9223372036854775807)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int64_value Int64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt64('all_types_dict', 'Int64_value', 1)
---->
dictGetInt64OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
INSERT INTO all_types_test VALUES (1, -9223372036854775808)
---->
-- for key which exists
SELECT dictGetInt64('all_types_dict', 'Int64_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt64OrDefault('all_types_dict', 'Int64_value', 999, -1)
---->
dictGetInt8(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, Int8_value Int8) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -100)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int8_value Int8) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt8('all_types_dict', 'Int8_value', 1)
---->
dictGetInt8OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetInt8('all_types_dict', 'Int8_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt8OrDefault('all_types_dict', 'Int8_value', 999, -1)
---->
dictGetKeys('dict_name', 'attr_name', value_expr)
---->
CREATE TABLE task_priority_source (task_id UInt64, priority_level String) ENGINE = Memory
---->
INSERT INTO task_priority_source VALUES (1, 'low'), (2, 'high'), (3, 'medium'), (4, 'high')
---->
CREATE DICTIONARY task_id_to_priority_dictionary (task_id UInt64, priority_level String) PRIMARY KEY task_id SOURCE(CLICKHOUSE(TABLE 'task_priority_source' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 0 MAX 0)
---->
SELECT arraySort(dictGetKeys('task_id_to_priority_dictionary', 'priority_level', 'high')) AS ids
---->
dictGetOrDefault('dict_name', attr_names, id_expr, default_value)
---->
SELECT dictGetOrDefault('ext_dict_mult', 'c1', toUInt64(999), 0) AS val
---->
dictGetOrNull('dict_name', 'attr_name', id_expr)
---->
CREATE TABLE range_key_dictionary_source_table (key UInt64, start_date Date, end_date Date, value String, value_nullable Nullable(String)) ENGINE = TinyLog()
---->
INSERT INTO range_key_dictionary_source_table VALUES(1, toDate('2019-05-20'), toDate('2019-05-20'), 'First', 'First')
---->
INSERT INTO range_key_dictionary_source_table VALUES(2, toDate('2019-05-20'), toDate('2019-05-20'), 'Second', NULL)
---->
INSERT INTO range_key_dictionary_source_table VALUES(3, toDate('2019-05-20'), toDate('2019-05-20'), 'Third', 'Third')
---->
CREATE DICTIONARY range_key_dictionary (key UInt64, start_date Date, end_date Date, value String, value_nullable Nullable(String)) PRIMARY KEY key SOURCE(CLICKHOUSE(TABLE 'range_key_dictionary_source_table' DB currentDatabase())) LIFETIME(MIN 1 MAX 1000) LAYOUT(RANGE_HASHED()) RANGE(MIN start_date MAX end_date)
---->
SELECT
    (number, toDate('2019-05-20')),
    dictGetOrNull('range_key_dictionary', 'value', number, toDate('2019-05-20')),
FROM system.numbers LIMIT 5 FORMAT TabSeparated
---->
dictGetRoot(dict_name, key)
---->
SELECT dictGetRoot('hierarchical_dictionary', 5)
---->
dictGetString(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, String_value String) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 'test string')
---->
CREATE DICTIONARY all_types_dict (id UInt32, String_value String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetString('all_types_dict', 'String_value', 1)
---->
dictGetStringOrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetString('all_types_dict', 'String_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetStringOrDefault('all_types_dict', 'String_value', 999, 'default')
---->
dictGetUInt16(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, UInt16_value UInt16) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 5000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt16_value UInt16) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt16('all_types_dict', 'UInt16_value', 1)
---->
dictGetUInt16OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetUInt16('all_types_dict', 'UInt16_value', 1)
---->
-- for key which does not exist, returns the provided default value (0)
SELECT dictGetUInt16OrDefault('all_types_dict', 'UInt16_value', 999, 0)
---->
dictGetUInt32(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, UInt32_value UInt32) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 1000000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt32_value UInt32) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt32('all_types_dict', 'UInt32_value', 1)
---->
dictGetUInt32OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetUInt32('all_types_dict', 'UInt32_value', 1)
---->
-- for key which does not exist, returns the provided default value (0)
SELECT dictGetUInt32OrDefault('all_types_dict', 'UInt32_value', 999, 0)
---->
dictGetUInt64(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, UInt64_value UInt64) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 9223372036854775807)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt64_value UInt64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt64('all_types_dict', 'UInt64_value', 1)
---->
dictGetUInt64OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetUInt64('all_types_dict', 'UInt64_value', 1)
---->
-- for key which does not exist, returns the provideddefault value (0)
SELECT dictGetUInt64OrDefault('all_types_dict', 'UInt64_value', 999, 0)
---->
dictGetUInt8(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, UInt8_value UInt8) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 100)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt8_value UInt8) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt8('all_types_dict', 'UInt8_value', 1)
---->
dictGetUInt8OrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
-- for key which exists
SELECT dictGetUInt8('all_types_dict', 'UInt8_value', 1)
---->
-- for key which does not exist, returns the provided default value (0)
SELECT dictGetUInt8OrDefault('all_types_dict', 'UInt8_value', 999, 0)
---->
dictGetUUID(dict_name, attr_name, id_expr)
---->
CREATE TABLE all_types_test (id UInt32, UUID_value UUID) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '123e4567-e89b-12d3-a456-426614174000')
---->
CREATE DICTIONARY all_types_dict (id UInt32, UUID_value UUID) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUUID('all_types_dict', 'UUID_value', 1)
---->
dictGetUUIDOrDefault(dict_name, attr_name, id_expr, default_value_expr)
---->
INSERT INTO all_types_test VALUES (1, '550e8400-e29b-41d4-a716-446655440000')
---->
-- for key which exists
SELECT dictGetUUID('all_types_dict', 'UUID_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetUUIDOrDefault('all_types_dict', 'UUID_value', 999, '00000000-0000-0000-0000-000000000000'::UUID)
---->
dictHas('dict_name', id_expr)
---->
-- consider the following hierarchical dictionary:
-- 0 (Root)
-- └── 1 (Level 1 - Node 1)
--     ├── 2 (Level 2 - Node 2)
--     │   ├── 4 (Level 3 - Node 4)
--     │   └── 5 (Level 3 - Node 5)
--     └── 3 (Level 2 - Node 3)
--         └── 6 (Level 3 - Node 6)

SELECT dictHas('hierarchical_dictionary', 2)
---->
SELECT dictHas('hierarchical_dictionary', 7)
---->
dictIsIn(dict_name, child_id_expr, ancestor_id_expr)
---->
-- valid hierarchy
SELECT dictIsIn('hierarchical_dictionary', 6, 3)
---->
-- invalid hierarchy
SELECT dictIsIn('hierarchical_dictionary', 3, 5)
---->
dictionary('dict')
---->
CREATE DICTIONARY new_dictionary(id UInt64, value UInt64 DEFAULT 0) PRIMARY KEY id
SOURCE(CLICKHOUSE(HOST 'localhost' PORT tcpPort() USER 'default' TABLE 'dictionary_source_table')) LAYOUT(DIRECT())
---->
SELECT * FROM dictionary('new_dictionary')
---->
SELECT digits(1234567890, 7)
---->
SELECT digits(1234567890, 7, 2)
---->
SELECT digits(1234567890, -3)
---->
SELECT digits(1234567890, 3, -2)
---->
SELECT digits(1234567890, 11)
---->
LAYOUT(DIRECT())
---->
displayName()
---->
SELECT displayName()
---->
distinctDynamicTypes(dynamic)
---->
DROP TABLE IF EXISTS test_dynamic
---->
CREATE TABLE test_dynamic(d Dynamic) ENGINE = Memory
---->
INSERT INTO test_dynamic VALUES (42), (NULL), ('Hello'), ([1, 2, 3]), ('2020-01-01'), (map(1, 2)), (43), ([4, 5]), (NULL), ('World'), (map(3, 4))
---->
SELECT distinctDynamicTypes(d) FROM test_dynamic
---->
distinctJSONPaths(json)
---->
DROP TABLE IF EXISTS test_json
---->
CREATE TABLE test_json(json JSON) ENGINE = Memory
---->
INSERT INTO test_json VALUES ('{"a" : 42, "b" : "Hello"}'), ('{"b" : [1, 2, 3], "c" : {"d" : {"e" : "2020-01-01"}}}'), ('{"a" : 43, "c" : {"d" : {"f" : [{"g" : 42}]}}}')
---->
SELECT distinctJSONPaths(json) FROM test_json
---->
INSERT INTO test_json VALUES ('{"a" : 42, "b" : "Hello"}'), ('{"b" : [1, 2, 3], "c" : {"d" : {"e" : "2020-01-01"}}}'), ('{"a" : 43, "c" : {"d" : {"f" : [{"g" : 42}]}}}')

SELECT distinctJSONPaths(json) FROM test_json
---->
distinctJSONPathsAndTypes(json)
---->
SELECT distinctJSONPathsAndTypes(json) FROM test_json
---->
CREATE TABLE test_json(json JSON(a UInt32)) ENGINE = Memory
---->
INSERT INTO test_json VALUES ('{"b" : "Hello"}'), ('{"b" : "World", "c" : [1, 2, 3]}')
---->
divide(x, y)
---->
SELECT divide(25,5) AS quotient, toTypeName(quotient)
---->
SELECT divide(25,0)
---->
divideDecimal(toDecimal256(-12, 0), toDecimal32(2.1, 1), 10)
---->
SELECT toDecimal64(-12, 1) / toDecimal32(2.1, 1)
---->
SELECT toDecimal64(-12, 1) as a, toDecimal32(2.1, 1) as b, divideDecimal(a, b, 1), divideDecimal(a, b, 5)
---->
divideOrNull(x, y)
---->
SELECT divideOrNull(25, 0)
---->
domain(url)
---->
SELECT domain('svn+ssh://some.svn-hosting.com:80/repo/trunk')
---->
domainRFC(url)
---->
SELECT
    domain('http://user:password@example.com:8080/path?query=value#fragment'),
    domainRFC('http://user:password@example.com:8080/path?query=value#fragment')
---->
domainWithoutWWW(url)
---->
SELECT domainWithoutWWW('http://paul@www.example.com:80/')
---->
domainWithoutWWWRFC(url)
---->
SELECT
    domainWithoutWWW('http://user:password@www.example.com:8080/path?query=value#fragment'),
    domainWithoutWWWRFC('http://user:password@www.example.com:8080/path?query=value#fragment')
---->
dotProduct(vector1, vector2)
---->
SELECT dotProduct((1, 2), (3, 4))
---->
SELECT dotProductTransposed(vec, array(1, 2), 16) FROM qbit
---->
SELECT dotProductTransposedQuantized(vec, [0.1, -0.5]::Array(Float32), 8) FROM qbit
---->
dumpColumnStructure(x)
---->
SELECT dumpColumnStructure(CAST('2018-01-01 01:02:03', 'DateTime'))
---->
dynamicElement(dynamic, type_name)
---->
dynamicType(dynamic)
---->
e()
---->
SELECT e()
---->
editDistance(s1, s2)
---->
SELECT editDistance('clickhouse', 'mouse')
---->
editDistanceUTF8(s1, s2)
---->
SELECT editDistanceUTF8('我是谁', '我是我') AS distance
---->
empty(arr)
---->
SELECT empty([])
---->
emptyArrayDate()
---->
SELECT emptyArrayDate()
---->
emptyArrayDateTime()
---->
SELECT emptyArrayDateTime()
---->
emptyArrayFloat32()
---->
SELECT emptyArrayFloat32()
---->
emptyArrayFloat64()
---->
SELECT emptyArrayFloat64()
---->
emptyArrayInt16()
---->
SELECT emptyArrayInt16()
---->
emptyArrayInt32()
---->
SELECT emptyArrayInt32()
---->
emptyArrayInt64()
---->
SELECT emptyArrayInt64()
---->
emptyArrayInt8()
---->
SELECT emptyArrayInt8()
---->
emptyArrayString()
---->
SELECT emptyArrayString()
---->
emptyArrayToSingle(arr)
---->
CREATE TABLE test (
  a Array(Int32),
  b Array(String),
  c Array(DateTime)
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO test VALUES ([], [], [])
---->
SELECT emptyArrayToSingle(a), emptyArrayToSingle(b), emptyArrayToSingle(c) FROM test
---->
emptyArrayUInt16()
---->
SELECT emptyArrayUInt16()
---->
emptyArrayUInt32()
---->
SELECT emptyArrayUInt32()
---->
emptyArrayUInt64()
---->
SELECT emptyArrayUInt64()
---->
emptyArrayUInt8()
---->
SELECT emptyArrayUInt8()
---->
CREATE TABLE TAB(C1 Int, C2 Int, ALL Int) ENGINE=Memory()
---->
INSERT INTO TAB VALUES (10, 20, 30), (20, 20, 10), (30, 10, 20)
---->
SELECT * FROM TAB ORDER BY ALL
---->
-- returns an error that ALL is ambiguous

SELECT * FROM TAB ORDER BY ALL SETTINGS enable_order_by_all = 0
---->
CREATE TABLE positional_arguments(one Int, two Int, three Int) ENGINE=Memory()
---->
INSERT INTO positional_arguments VALUES (10, 20, 30), (20, 20, 10), (30, 10, 20)
---->
SELECT * FROM positional_arguments ORDER BY 2,3
---->
SELECT
    count()
FROM events
WHERE (_part, _part_offset) IN (
    SELECT _part, _part_offset
    FROM events
    WHERE user_id = 42
)
---->
enabledProfiles()
---->
SELECT enabledProfiles()
---->
enabledRoles()
---->
SELECT enabledRoles()
---->
encodeURLComponent(url)
---->
SELECT encodeURLComponent('http://127.0.0.1:8123/?query=SELECT 1;') AS EncodedURL
---->
encodeURLFormComponent(url)
---->
SELECT encodeURLFormComponent('http://127.0.0.1:8123/?query=SELECT 1 2+3') AS EncodedURL
---->
encodeXMLComponent(s)
---->
SELECT
    '<tag>Hello & "World"</tag>' AS original,
    encodeXMLComponent('<tag>Hello & "World"</tag>') AS xml_encoded
---->
CREATE TABLE encryption_test
(
    `comment` String,
    `secret` String
)
ENGINE = MergeTree
---->
INSERT INTO encryption_test VALUES
('aes-256-ofb no IV', encrypt('aes-256-ofb', 'Secret', '12345678910121314151617181920212')),
('aes-256-ofb no IV, different key', encrypt('aes-256-ofb', 'Secret', 'keykeykeykeykeykeykeykeykeykeyke')),
('aes-256-ofb with IV', encrypt('aes-256-ofb', 'Secret', '12345678910121314151617181920212', 'iviviviviviviviv')),
('aes-256-cbc no IV', encrypt('aes-256-cbc', 'Secret', '12345678910121314151617181920212'))
---->
SELECT comment, hex(secret) FROM encryption_test
---->
INSERT INTO encryption_test VALUES
('aes-256-gcm', encrypt('aes-256-gcm', 'Secret', '12345678910121314151617181920212', 'iviviviviviviviv')),

('aes-256-gcm with AAD', encrypt('aes-256-gcm', 'Secret', '12345678910121314151617181920212', 'iviviviviviviviv', 'aad'))
---->
SELECT comment, hex(secret) FROM encryption_test WHERE comment LIKE '%gcm%'
---->
disk(type = encrypted, disk = underlying_disk, key = '...')
---->
endsWith(s, suffix)
---->
SELECT endsWith('ClickHouse', 'House')
---->
endsWithCaseInsensitive(s, suffix)
---->
SELECT endsWithCaseInsensitive('ClickHouse', 'HOUSE')
---->
endsWithCaseInsensitiveUTF8(s, suffix)
---->
SELECT endsWithCaseInsensitiveUTF8('данных', 'ых')
---->
endsWithUTF8(s, suffix)
---->
SELECT endsWithUTF8('данных', 'ых')
---->
entropy(val)
---->
CREATE TABLE entropy (`vals` UInt32,`strings` String)
ENGINE = Memory
---->
INSERT INTO entropy VALUES (1, 'A'), (1, 'A'), (1,'A'), (1,'A'), (2,'B'), (2,'B'), (2,'C'), (2,'D')
---->
SELECT entropy(vals), entropy(strings) FROM entropy
---->
equals(a, b)
        -- a = b
        -- a == b
---->
SELECT 1 = 1, 1 = 2
---->
erf(x)
---->
SELECT erf(3 / sqrt(2))
---->
erfc(x)
---->
SELECT erfc(0)
---->
errorCodeToName(error_code)
---->
SELECT errorCodeToName(252)
---->
estimateCompressionRatio([codec, block_size_bytes])(column)
---->
CREATE TABLE compression_estimate_example
(
    `number` UInt64
)
ENGINE = MergeTree()
ORDER BY number
SETTINGS min_bytes_for_wide_part = 0
---->
INSERT INTO compression_estimate_example
SELECT number FROM system.numbers LIMIT 100_000
---->
SELECT estimateCompressionRatio(number) AS estimate FROM compression_estimate_example
---->
SELECT estimateCompressionRatio('T64')(number) AS estimate FROM compression_estimate_example
---->
SELECT estimateCompressionRatio('T64, ZSTD')(number) AS estimate FROM compression_estimate_example
---->
SELECT
evalMLMethod(model, trip_distance),
total_amount
FROM trips
LEFT JOIN models ON year = toYear(pickup_datetime)
LIMIT 5
---->
CREATE TABLE tab
(
    a UInt64,
    b UInt64,
    INDEX idx_a a TYPE minmax,
    INDEX idx_b b TYPE set(3)
)
ENGINE = MergeTree ORDER BY tuple()
---->
SET exclude_materialize_skip_indexes_on_insert='idx_a'
---->
-- idx_a will be not be updated upon insert
--SET exclude_materialize_skip_indexes_on_insert='idx_a, idx_b'; -- neither index would be updated on insert

INSERT INTO tab SELECT number, number / 50 FROM numbers(100)
---->
-- only idx_b is updated

-- since it is a session setting it can be set on a per-query level
INSERT INTO tab SELECT number, number / 50 FROM numbers(100, 100) SETTINGS exclude_materialize_skip_indexes_on_insert='idx_b'
---->
ALTER TABLE tab MATERIALIZE INDEX idx_a
---->
-- this query can be used to explicitly materialize the index

SET exclude_materialize_skip_indexes_on_insert = DEFAULT
---->
CREATE TABLE tab
(
    a UInt64,
    b UInt64,
    INDEX idx_a a TYPE minmax,
    INDEX idx_b b TYPE set(3)
)
ENGINE = MergeTree ORDER BY tuple() SETTINGS exclude_materialize_skip_indexes_on_merge = 'idx_a'
---->
INSERT INTO tab SELECT number, number / 50 FROM numbers(100)
---->
-- setting has no effect on INSERTs

-- idx_a will be excluded from update during background or explicit merge via OPTIMIZE TABLE FINAL

-- can exclude multiple indexes by providing a list
ALTER TABLE tab MODIFY SETTING exclude_materialize_skip_indexes_on_merge = 'idx_a, idx_b'
---->
-- default setting, no indexes excluded from being updated during merge
ALTER TABLE tab MODIFY SETTING exclude_materialize_skip_indexes_on_merge = ''
---->
SELECT * FROM executable('generate_random.py', TabSeparated, 'id UInt32, random String', (SELECT 10))
---->
SELECT * FROM executable(
    'sentiment.py',
    TabSeparated,
    'id UInt64, sentiment Float32',
    (SELECT id, comment FROM hackernews WHERE id > 0 AND comment != '' LIMIT 20)
)
---->
exp(x)
---->
SELECT round(exp(-1), 4)
---->
exp10(x)
---->
SELECT exp10(2)
---->
exp2(x)
---->
SELECT exp2(3)
---->
exponentialMovingAverage(x)(value, timeunit)
---->
-- Input table with temperature data
SELECT exponentialMovingAverage(5)(temperature, timestamp)
FROM VALUES('temperature Int32, timestamp Int32',
    (95, 1), (95, 2), (95, 3), (96, 4), (96, 5), (96, 6), (96, 7),
    (97, 8), (97, 9), (97, 10), (97, 11), (98, 12), (98, 13), (98, 14),
    (98, 15), (99, 16), (99, 17), (99, 18), (100, 19), (100, 20))
---->
SELECT
    value,
    time,
    round(exp_smooth, 3),
    bar(exp_smooth, 0, 1, 50) AS bar
FROM
(
    SELECT
        (number = 0) OR (number >= 25) AS value,
        number AS time,
        exponentialMovingAverage(10)(value, time) OVER (Rows BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS exp_smooth
    FROM numbers(50)
)
---->
CREATE TABLE data
ENGINE = Memory AS
SELECT
    10 AS value,
    toDateTime('2020-01-01') + (3600 * number) AS time
FROM numbers_mt(10)
---->
-- Calculate timeunit using intDiv
SELECT
    value,
    time,
    exponentialMovingAverage(1)(value, intDiv(toUInt32(time), 3600)) OVER (ORDER BY time ASC) AS res,
    intDiv(toUInt32(time), 3600) AS timeunit
FROM data
ORDER BY time ASC
---->
exponentialTimeDecayedAvg(x)(v, t)
---->
SELECT
    value,
    time,
    round(exp_smooth, 3),
    bar(exp_smooth, 0, 5, 50) AS bar
FROM
    (
    SELECT
    (number = 0) OR (number >= 25) AS value,
    number AS time,
    exponentialTimeDecayedAvg(10)(value, time) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS exp_smooth
    FROM numbers(50)
    )
---->
exponentialTimeDecayedCount(x)(t)
---->
SELECT
    value,
    time,
    round(exp_smooth, 3),
    bar(exp_smooth, 0, 20, 50) AS bar
FROM
(
    SELECT
        (number % 5) = 0 AS value,
        number AS time,
        exponentialTimeDecayedCount(10)(time) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS exp_smooth
    FROM numbers(50)
)
---->
exponentialTimeDecayedMax(x)(value, timeunit)
---->
SELECT
    value,
    time,
    round(exp_smooth, 3),
    bar(exp_smooth, 0, 5, 50) AS bar
FROM
    (
    SELECT
    (number = 0) OR (number >= 25) AS value,
    number AS time,
    exponentialTimeDecayedMax(10)(value, time) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS exp_smooth
    FROM numbers(50)
    )
---->
exponentialTimeDecayedSum(x)(v, t)
---->
SELECT
    value,
    time,
    round(exp_smooth, 3),
    bar(exp_smooth, 0, 10, 50) AS bar
FROM
    (
    SELECT
    (number = 0) OR (number >= 25) AS value,
    number AS time,
    exponentialTimeDecayedSum(10)(value, time) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS exp_smooth
    FROM numbers(50)
    )
---->
extract(haystack, pattern)
---->
SELECT extract('test@clickhouse.com', '.*@(.*)$')
---->
SELECT extract('test@clickhouse.com', 'no_match')
---->
extractAll(haystack, pattern)
---->
SELECT extractAll('hello 123 world 456', '[0-9]+')
---->
SELECT extractAll('test@example.com, user@domain.org', '([a-zA-Z0-9]+)@')
---->
extractAllGroupsHorizontal(s, regexp)
---->
WITH '< Server: nginx
< Date: Tue, 22 Jan 2019 00:26:14 GMT
< Content-Type: text/html; charset=UTF-8
< Connection: keep-alive
' AS s
SELECT extractAllGroupsHorizontal(s, '< ([\\w\\-]+): ([^\\r\\n]+)')
---->
extractAllGroupsVertical(s, regexp)
---->
WITH '< Server: nginx
< Date: Tue, 22 Jan 2019 00:26:14 GMT
< Content-Type: text/html; charset=UTF-8
< Connection: keep-alive
' AS s
SELECT extractAllGroupsVertical(s, '< ([\\w\\-]+): ([^\\r\\n]+)')
---->
extractGroups(s, regexp)
---->
WITH '< Server: nginx
< Date: Tue, 22 Jan 2019 00:26:14 GMT
< Content-Type: text/html; charset=UTF-8
< Connection: keep-alive
' AS s
SELECT extractGroups(s, '< ([\\w\\-]+): ([^\\r\\n]+)')
---->
extractKeyValuePairs(data, [key_value_delimiter], [pair_delimiter], [quoting_character])
---->
SELECT extractKeyValuePairs('name"abc:5', ':', ' ,;', '\"', 'INVALID') as kv
---->
SELECT extractKeyValuePairs('name"abc":5', ':', ' ,;', '\"', 'INVALID') as kv
---->
SELECT extractKeyValuePairs('name"abc:5', ':', ' ,;', '\"', 'ACCEPT') as kv
---->
SELECT extractKeyValuePairs('name"abc":5', ':', ' ,;', '\"', 'ACCEPT') as kv
---->
SELECT extractKeyValuePairs('name"abc:5', ':', ' ,;', '\"', 'PROMOTE') as kv
---->
SELECT extractKeyValuePairs('name"abc":5', ':', ' ,;', '\"', 'PROMOTE') as kv
---->
extractKeyValuePairs(input)
---->
extractKeyValuePairsWithEscaping(input)
---->
extractTextFromHTML(html)
---->
SELECT extractTextFromHTML('
<html>
    <head><title>Page Title</title></head>
    <body>
        <p>Hello <b>World</b>!</p>
        <script>alert("test");</script>
        <!-- comment -->
    </body>
</html>
')
---->
extractURLParameter(url, name)
---->
SELECT extractURLParameter('http://example.com/?param1=value1&param2=value2', 'param1')
---->
extractURLParameterNames(url)
---->
SELECT extractURLParameterNames('http://example.com/?param1=value1&param2=value2')
---->
extractURLParameters(url)
---->
SELECT extractURLParameters('http://example.com/?param1=value1&param2=value2')
---->
factorial(n)
---->
factorial(10)
---->
SELECT farmFingerprint64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS FarmFingerprint, toTypeName(FarmFingerprint) AS type
---->
SELECT farmHash64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS FarmHash, toTypeName(FarmHash) AS type
---->
file(['file1.csv', 'file2.csv'], 'CSV', 'column1 UInt32, column2 UInt32')
---->
DESC format(LineAsString, 'Hello\nWorld')
---->
INSERT INTO TABLE FUNCTION
file('test.tsv', 'TSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
VALUES (1, 2, 3), (3, 2, 1), (1, 3, 2)
---->
INSERT INTO TABLE FUNCTION
file('test_{_partition_id}.tsv', 'TSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
PARTITION BY column3
VALUES (1, 2, 3), (3, 2, 1), (1, 3, 2)
---->
SELECT * FROM
file('test.csv', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
LIMIT 2
---->
INSERT INTO FUNCTION
file('test.csv', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
VALUES (1, 2, 3), (3, 2, 1)
---->
SELECT * FROM
file('test.csv', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
---->
SELECT * FROM file('user_files/archives/archive{1..2}.zip :: table.csv')
---->
SELECT count(*) FROM file('{some,another}_dir/some_file_{1..3}', 'TSV', 'name String, value UInt32')
---->
SELECT count(*) FROM file('{some,another}_dir/*', 'TSV', 'name String, value UInt32')
---->
SELECT count(*) FROM file('some_dir', 'TSV', 'name String, value UInt32')
---->
SELECT count(*) FROM file('big_dir/file{0..9}{0..9}{0..9}', 'CSV', 'name String, value UInt32')
---->
SELECT count(*) FROM file('big_dir/**', 'CSV', 'name String, value UInt32')
---->
SELECT count(*) FROM file('big_dir/**/file002', 'CSV', 'name String, value UInt32')
---->
SELECT * FROM file('data/path/date=*/country=*/code=*/*.parquet') WHERE date > '2020-01-01' AND country = 'Netherlands' AND code = 42
---->
INSERT INTO TABLE FUNCTION file('file1.csv', 'CSV', 'i UInt32, s String') VALUES (1,'file1'), (11,'file11')
---->
INSERT INTO TABLE FUNCTION file('file2.csv', 'CSV', 'i UInt32, s String') VALUES (2,'file2'), (22,'file22')
---->
SELECT * FROM fileCluster('my_cluster', 'file{1,2}.csv', 'CSV', 'i UInt32, s String') ORDER BY i, s
---->
filesystem([path])
---->
SELECT name, type, size, depth
FROM filesystem()
ORDER BY name
---->
SELECT path, name, size
FROM filesystem()
WHERE type = 'regular' AND size > 1000000
ORDER BY size DESC
---->
SELECT name, content
FROM filesystem('my_directory')
WHERE name LIKE '%.csv'
---->
SELECT name, type
FROM filesystem('my_directory')
WHERE depth = 0
---->
filesystemAvailable([disk_name])
---->
SELECT formatReadableSize(filesystemAvailable()) AS "Available space"
---->
filesystemCapacity([disk_name])
---->
SELECT formatReadableSize(filesystemCapacity()) AS "Capacity"
---->
filesystemUnreserved([disk_name])
---->
SELECT formatReadableSize(filesystemUnreserved()) AS "Free space"
---->
CREATE TABLE test
(
    key Int64,
    some String
)
ENGINE = ReplacingMergeTree
ORDER BY key
---->
INSERT INTO test FORMAT Values (1, 'first')
---->
INSERT INTO test FORMAT Values (1, 'second')
---->
finalizeAggregation(state)
---->
SELECT finalizeAggregation(arrayReduce('maxState', [1, 2, 3]))
---->
SET allow_deprecated_error_prone_window_functions = 1
---->
WITH initializeAggregation('sumState', number) AS one_row_sum_state
SELECT
    number,
    finalizeAggregation(one_row_sum_state) AS one_row_sum,
    runningAccumulate(one_row_sum_state) AS cumulative_sum
FROM numbers(5)
---->
SELECT financialInternalRateOfReturn([-100, 39, 59, 55, 20])
---->
SELECT financialInternalRateOfReturn([-100, 39, 59, 55, 20], 0.1)
---->
SELECT financialInternalRateOfReturnExtended([-10000, 5750, 4250, 3250], [toDate('2020-01-01'), toDate('2020-03-01'), toDate('2020-10-30'), toDate('2021-02-15')])
---->
SELECT financialInternalRateOfReturnExtended([-10000, 5750, 4250, 3250], [toDate('2020-01-01'), toDate('2020-03-01'), toDate('2020-10-30'), toDate('2021-02-15')], 0.5)
---->
SELECT round(financialInternalRateOfReturnExtended([100000, -110000], [toDate('2020-01-01'), toDate('2021-01-01')], 0.1, 'ACT_365_25'), 6) AS xirr_365_25
---->
SELECT financialNetPresentValue(0.08, [-40000., 5000., 8000., 12000., 30000.])
---->
SELECT financialNetPresentValue(0.08, [-40000., 5000., 8000., 12000., 30000.], false)
---->
SELECT financialNetPresentValueExtended(0.1, [-10000., 5750., 4250., 3250.], [toDate('2020-01-01'), toDate('2020-03-01'), toDate('2020-10-30'), toDate('2021-02-15')])
---->
SELECT financialNetPresentValueExtended(0.1, [-10000., 5750., 4250., 3250.], [toDate('2020-01-01'), toDate('2020-03-01'), toDate('2020-10-30'), toDate('2021-02-15')], 'ACT_365_25')
---->
firstLine(s)
---->
SELECT firstLine('foo\\nbar\\nbaz')
---->
SELECT firstNonDefault(0, 1, 2)
---->
SELECT firstNonDefault('', 'hello', 'world')
---->
SELECT firstNonDefault(NULL, 0 :: UInt8, 1 :: UInt8)
---->
SELECT firstNonDefault(NULL, 0 :: Nullable(UInt8), 1 :: Nullable(UInt8))
---->
firstSignificantSubdomain(url)
---->
SELECT firstSignificantSubdomain('https://news.clickhouse.com/')
---->
firstSignificantSubdomainCustom(url, tld_list_name)
---->
SELECT firstSignificantSubdomainCustom('https://news.example.com', 'public_suffix_list')
---->
firstSignificantSubdomainCustomRFC(url, tld_list_name)
---->
SELECT firstSignificantSubdomainCustomRFC('https://news.example.com', 'public_suffix_list')
---->
firstSignificantSubdomainRFC(url)
---->
SET query_profiler_cpu_time_period_ns=10000000
---->
SELECT SearchPhrase, COUNT(DISTINCT UserID) AS u FROM hits WHERE SearchPhrase <> '' GROUP BY SearchPhrase ORDER BY u DESC LIMIT 10
---->
SET memory_profiler_sample_probability=1, max_untracked_memory=1
---->
SET memory_profiler_sample_probability=1, max_untracked_memory=1, use_uncompressed_cache=1, merge_tree_max_rows_to_use_cache=100000000000, merge_tree_max_bytes_to_use_cache=1000000000000
---->
-- 1. Memory usage per second
SELECT event_time, m, formatReadableSize(max(s) AS m) FROM (SELECT event_time, sum(size) OVER (ORDER BY event_time) AS s FROM system.trace_log WHERE query_id = 'xxx' AND trace_type = 'MemorySample') GROUP BY event_time ORDER BY event_time
---->
-- 2. Find a time point with maximal memory usage
SELECT argMax(event_time, s), max(s) FROM (SELECT event_time, sum(size) OVER (ORDER BY event_time) AS s FROM system.trace_log WHERE query_id = 'xxx' AND trace_type = 'MemorySample')
---->
flattenTuple(input)
---->
CREATE TABLE tab(t Tuple(a UInt32, b Tuple(c String, d UInt32))) ENGINE = MergeTree ORDER BY tuple()
---->
INSERT INTO tab VALUES ((3, ('c', 4)))
---->
SELECT flattenTuple(t) FROM tab
---->
SET flatten_nested = 1
---->
CREATE TABLE t_nest (`n` Nested(a UInt32, b UInt32)) ENGINE = MergeTree ORDER BY tuple()
---->
SHOW CREATE TABLE t_nest
---->
flipCoordinates(geometry)
---->
SELECT flipCoordinates((1.0, 2.0))
---->
SELECT flipCoordinates([(1.0, 2.0), (3.0, 4.0)])
---->
SELECT flipCoordinates([[(1.0, 2.0), (3.0, 4.0)], [(5.0, 6.0), (7.0, 8.0)]])
---->
SELECT flipCoordinates(readWkt('POINT(10 20)'))
---->
SELECT flipCoordinates(readWkt('POLYGON((0 0, 5 0, 5 5, 0 5, 0 0))'))
---->
SELECT floor(123.45, 1) AS rounded
---->
SELECT floor(123.45, -1)
---->
CREATE TABLE data
(
    key Int,
    d1 Int,
    d1_null Nullable(Int),
    INDEX d1_idx d1 TYPE minmax GRANULARITY 1,
    INDEX d1_null_idx assumeNotNull(d1_null) TYPE minmax GRANULARITY 1
)
Engine=MergeTree()
ORDER BY key
---->
SELECT * FROM data_01515
---->
SELECT * FROM data_01515 SETTINGS force_data_skipping_indices=''
---->
-- query will produce CANNOT_PARSE_TEXT error.
SELECT * FROM data_01515 SETTINGS force_data_skipping_indices='d1_idx'
---->
-- query will produce INDEX_NOT_USED error.
SELECT * FROM data_01515 WHERE d1 = 0 SETTINGS force_data_skipping_indices='d1_idx'
---->
-- Ok.
SELECT * FROM data_01515 WHERE d1 = 0 SETTINGS force_data_skipping_indices='`d1_idx`'
---->
-- Ok (example of full featured parser).
SELECT * FROM data_01515 WHERE d1 = 0 SETTINGS force_data_skipping_indices='`d1_idx`, d1_null_idx'
---->
-- query will produce INDEX_NOT_USED error, since d1_null_idx is not used.
SELECT * FROM data_01515 WHERE d1 = 0 AND assumeNotNull(d1_null) = 0 SETTINGS force_data_skipping_indices='`d1_idx`, d1_null_idx'
---->
format(format_name, [structure], data)
---->
SELECT * FROM format(JSONEachRow,
$$
{"a": "Hello", "b": 111}
{"a": "World", "b": 123}
{"a": "Hello", "b": 112}
{"a": "World", "b": 124}
$$)
---->
DESC format(JSONEachRow,
$$
{"a": "Hello", "b": 111}
{"a": "World", "b": 123}
{"a": "Hello", "b": 112}
{"a": "World", "b": 124}
$$)
---->
SELECT * FROM format(JSONEachRow, 'a String, b UInt32',
$$
{"a": "Hello", "b": 111}
{"a": "World", "b": 123}
{"a": "Hello", "b": 112}
{"a": "World", "b": 124}
$$)
---->
SELECT format('{1} {0} {1}', 'World', 'Hello')
---->
SELECT format('{} {}', 'Hello', 'World')
---->
SELECT formatDateTime(toDate('2010-01-04'), '%g')
---->
SELECT formatDateTime(toDateTime64('2010-01-04 12:34:56.123456', 7), '%f')
---->
SELECT
    now() AS ts,
    time_zone,
    formatDateTime(ts, '%T', time_zone) AS str_tz_time
FROM system.time_zones
WHERE time_zone LIKE 'Europe%'
LIMIT 10
---->
SELECT formatDateTimeInJodaSyntax(toDateTime('2010-01-04 12:34:56'), 'yyyy-MM-dd HH:mm:ss')
---->
formatQuery(query)
---->
SELECT formatQuery('select a,    b FRom tab WHERE a > 3 and  b < 3')
---->
formatQueryOrNull(query)
---->
formatQuerySingleLine(query)
---->
SELECT formatQuerySingleLine('select a,    b FRom tab WHERE a > 3 and  b < 3')
---->
formatQuerySingleLineOrNull(query)
---->
SELECT
    arrayJoin([1, 1024, 1024*1024, 192851925]) AS filesize_bytes,
    formatReadableDecimalSize(filesize_bytes) AS filesize
---->
SELECT
    formatReadableDecimalSize(192851925, 0) AS no_decimals,
    formatReadableDecimalSize(192851925, 4) AS four_decimals
---->
SELECT
    arrayJoin([1024, 1234 * 1000, (4567 * 1000) * 1000, 98765432101234]) AS number,
    formatReadableQuantity(number) AS number_for_humans
---->
SELECT
    formatReadableQuantity(98765432101234, 0) AS no_decimals,
    formatReadableQuantity(98765432101234, 4) AS four_decimals
---->
SELECT
    arrayJoin([1, 1024, 1024*1024, 192851925]) AS filesize_bytes,
    formatReadableSize(filesize_bytes) AS filesize
---->
SELECT
    formatReadableSize(192851925, 0) AS no_decimals,
    formatReadableSize(192851925, 4) AS four_decimals
---->
SELECT
    arrayJoin([100, 12345, 432546534]) AS elapsed,
    formatReadableTimeDelta(elapsed) AS time_delta
---->
SELECT
    arrayJoin([100, 12345, 432546534]) AS elapsed,
    formatReadableTimeDelta(elapsed, 'minutes') AS time_delta
---->
SELECT formatReadableTimeDelta(INTERVAL 12345 SECOND) AS time_delta
---->
SELECT formatRow('CSV', number, 'good')
FROM numbers(3)
---->
SELECT formatRow('CustomSeparated', number, 'good')
FROM numbers(3)
SETTINGS format_custom_result_before_delimiter='<prefix>\n', format_custom_result_after_delimiter='<suffix>'
---->
SELECT formatRowNoNewline('CSV', number, 'good')
FROM numbers(3)
---->
fragment(url)
---->
SELECT fragment('https://clickhouse.com/docs/getting-started/quick-start/cloud#1-create-a-clickhouse-service')
---->
fromDaysSinceYearZero(days)
---->
SELECT
fromDaysSinceYearZero(739136) AS date1,
fromDaysSinceYearZero(toDaysSinceYearZero(toDate('2023-09-08'))) AS date2
---->
fromDaysSinceYearZero32(days)
---->
SELECT
fromDaysSinceYearZero32(739136) AS date1,
fromDaysSinceYearZero32(toDaysSinceYearZero(toDate('2023-09-08'))) AS date2
---->
fromModifiedJulianDay(day)
---->
SELECT fromModifiedJulianDay(58849)
---->
fromModifiedJulianDayOrNull(day)
---->
SELECT fromModifiedJulianDayOrNull(58849)
---->
SELECT fromModifiedJulianDayOrNull(60000000)
---->
fromUTCTimestamp(datetime, time_zone)
---->
SELECT fromUTCTimestamp(toDateTime64('2023-03-16 10:00:00', 3), 'Asia/Shanghai')
---->
SELECT fromUnixTimestamp(423543535)
---->
SELECT fromUnixTimestamp(1234334543, '%Y-%m-%d %R:%S') AS DateTime
---->
SELECT fromUnixTimestamp64Micro(1640995200123456)
---->
SELECT fromUnixTimestamp64Milli(1640995200123)
---->
SELECT fromUnixTimestamp64Nano(1640995200123456789)
---->
SELECT fromUnixTimestamp64Second(1640995200)
---->
SELECT fromUnixTimestampInJodaSyntax(1234334543, 'yyyy-MM-dd HH:mm:ss', 'UTC') AS DateTime
---->
fuzzBits(s, p)
---->
SELECT fuzzBits(materialize('abacaba'), 0.1)
FROM numbers(3)
---->
CREATE NAMED COLLECTION json_fuzzer AS json_str='{}'
---->
SELECT * FROM fuzzJSON(json_fuzzer) LIMIT 3
---->
SELECT * FROM fuzzJSON(json_fuzzer, json_str='{"name" : "value"}', random_seed=1234) LIMIT 3
---->
SELECT * FROM fuzzJSON(json_fuzzer, json_str='{"students" : ["Alice", "Bob"]}', reuse_output=true) LIMIT 3
---->
SELECT * FROM fuzzJSON(json_fuzzer, json_str='{"students" : ["Alice", "Bob"]}', max_output_length=512) LIMIT 3
---->
SELECT * FROM fuzzJSON('{"id":1}', 1234) LIMIT 3
---->
SELECT * FROM fuzzJSON(json_nc, json_str='{"name" : "FuzzJSON"}', random_seed=1337, malform_output=true) LIMIT 3
---->
fuzzQuery(query)
---->
SET allow_fuzz_query_functions = 1
---->
SELECT fuzzQuery('SELECT 1')
---->
SELECT * FROM fuzzQuery('SELECT materialize(\'a\' AS key) GROUP BY key') LIMIT 2
---->
SELECT
    gccMurmurHash(1, 2, 3) AS res1,
    gccMurmurHash(('a', [1, 2, 3], 4, (4, ['foo', 'bar'], 1, (1, 2)))) AS res2
---->
gcd(x, y)
---->
SELECT gcd(12, 18)
---->
SELECT *
FROM gcs('https://storage.googleapis.com/clickhouse_public_datasets/my-test-bucket-768/data.csv.gz', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
LIMIT 2
---->
SELECT *
FROM gcs('https://storage.googleapis.com/clickhouse_public_datasets/my-test-bucket-768/data.csv.gz', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32', 'gzip')
LIMIT 2
---->
SELECT count(*)
FROM gcs('https://storage.googleapis.com/clickhouse_public_datasets/my-test-bucket-768/{some,another}_prefix/some_file_{1..3}.csv', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
---->
SELECT count(*)
FROM gcs('https://storage.googleapis.com/clickhouse_public_datasets/my-test-bucket-768/{some,another}_prefix/*', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
---->
SELECT count(*)
FROM gcs('https://storage.googleapis.com/clickhouse_public_datasets/my-test-bucket-768/big_prefix/file-{000..999}.csv', 'CSV', 'name String, value UInt32')
---->
INSERT INTO FUNCTION gcs('https://storage.googleapis.com/my-test-bucket-768/test-data.csv.gz', 'CSV', 'name String, value UInt32', 'gzip')
VALUES ('test-data', 1), ('test-data-2', 2)
---->
INSERT INTO FUNCTION gcs('https://storage.googleapis.com/my-test-bucket-768/test-data.csv.gz', 'CSV', 'name String, value UInt32', 'gzip')
SELECT name, value FROM existing_table
---->
SELECT * FROM gcs('https://storage.googleapis.com/my-test-bucket-768/**', 'CSV', 'name String, value UInt32', 'gzip')
---->
SELECT * FROM gcs('https://storage.googleapis.com/my-test-bucket-768/**/test-data.csv.gz', 'CSV', 'name String, value UInt32', 'gzip')
---->
CREATE NAMED COLLECTION creds AS
        access_key_id = '***',
        secret_access_key = '***'
---->
SELECT count(*)
FROM gcs(creds, url='https://s3-object-url.csv')
---->
INSERT INTO TABLE FUNCTION
    gcs('http://bucket.amazonaws.com/my_bucket/file_{_partition_id}.csv', 'CSV', 'a String, b UInt32, c UInt32', partition_strategy='wildcard')
    PARTITION BY a VALUES ('x', 2, 3), ('x', 4, 5), ('y', 11, 12), ('y', 13, 14), ('z', 21, 22), ('z', 23, 24)
---->
INSERT INTO TABLE FUNCTION
    gcs('http://bucket.amazonaws.com/my_bucket_{_partition_id}/file.csv', 'CSV', 'a UInt32, b UInt32, c UInt32', partition_strategy='wildcard')
    PARTITION BY a VALUES (1, 2, 3), (1, 4, 5), (10, 11, 12), (10, 13, 14), (20, 21, 22), (20, 23, 24)
---->
SELECT * FROM generateRandom('a Array(Int8), d Decimal32(4), c Tuple(DateTime64(3), UUID)', 1, 10, 2) LIMIT 3
---->
CREATE TABLE random (a Array(Int8), d Decimal32(4), c Tuple(DateTime64(3), UUID)) ENGINE=Memory
---->
INSERT INTO random SELECT * FROM generateRandom() LIMIT 2
---->
SELECT * FROM random
---->
SELECT * FROM generateRandom(generateRandomStructure(4, 101), 101) LIMIT 3
---->
SELECT * FROM generateRandom() LIMIT 3
---->
SELECT * FROM generateRandom(11) LIMIT 3
---->
generateRandomStructure([number_of_columns, seed])
---->
SELECT generateRandomStructure()
---->
SELECT generateRandomStructure(1)
---->
SELECT generateRandomStructure(NULL, 33)
---->
SELECT generateSerialID('id1')
---->
SELECT *, generateSerialID('id1') FROM test_table
---->
SELECT generateSerialID('id2', 100)
---->
generate_series(START, STOP)
---->
generate_series(START, STOP, STEP)
---->
SELECT * FROM numbers(10, 5)
---->
SELECT * FROM generate_series(10, 14)
---->
SELECT * FROM numbers(10, 11) WHERE number % 3 == (10 % 3)
---->
SELECT * FROM generate_series(10, 20, 3)
---->
SELECT * FROM generate_series(9, 0, -1)
---->
generateSnowflakeID([expr, [machine_id]])
---->
CREATE TABLE tab (id UInt64)
ENGINE = MergeTree()
ORDER BY tuple()
---->
INSERT INTO tab SELECT generateSnowflakeID()
---->
SELECT generateSnowflakeID(1), generateSnowflakeID(2)
---->
SELECT generateSnowflakeID('expr', 1)
---->
generateUUIDv4([expr])
---->
SELECT generateUUIDv4(number) FROM numbers(3)
---->
SELECT generateUUIDv4(1), generateUUIDv4(1)
---->
generateUUIDv7([expr])
---->
SELECT generateUUIDv7(number) FROM numbers(3)
---->
SELECT generateUUIDv7(1), generateUUIDv7(1)
---->
geoDistance(lon1Deg, lat1Deg, lon2Deg, lat2Deg)
---->
SELECT geoDistance(38.8976, -77.0366, 39.9496, -75.1503) AS geoDistance
---->
geoToH3(lat, lon, resolution)
---->
SELECT geoToH3(55.71290588, 37.79506683, 15) AS h3Index
---->
SELECT geoToMGRS(2.294497, 48.858222)
---->
SELECT geoToMGRS(2.294497, 48.858222, 3)
---->
SELECT geoToUTM(2.294497, 48.858222)
---->
geohashDecode(hash_str)
---->
SELECT geohashDecode('ezs42') AS res
---->
geohashEncode(longitude, latitude, [precision])
---->
SELECT geohashEncode(-5.60302734375, 42.593994140625) AS res
---->
geohashesInBox(longitude_min, latitude_min, longitude_max, latitude_max, precision)
---->
SELECT geohashesInBox(24.48, 40.56, 24.785, 40.81, 4) AS thasos
---->
geometryIntersectCartesian(geometry1, geometry2)
---->
SELECT geometryIntersectCartesian([(2., 2.), (2., 3.), (3., 3.), (3., 2.)]::Ring, [(1., 1.), (1., 4.), (4., 4.), (4., 1.)]::Ring)
---->
geometryIntersectSpherical(geometry1, geometry2)
---->
SELECT geometryIntersectSpherical([[[(4.3613577, 50.8651821), (4.349556, 50.8535879), (4.3602419, 50.8435626), (4.3830299, 50.8428851), (4.3904543, 50.8564867), (4.3613148, 50.8651279)]]], (4.36, 50.85))
---->
getClientHTTPHeader(name)
---->
-- Over a non-HTTP interface (such as `clickhouse-client` or `clickhouse-local`) there are
-- no request headers, so the function returns an empty string. See the description above
-- for an HTTP example that returns the actual header value.
SELECT getClientHTTPHeader('Content-Type') SETTINGS allow_get_client_http_header = 1
---->
getMacro(name)
---->
SELECT getMacro('test')
---->
getMaxTableNameLengthForDatabase(database_name)
---->
SELECT getMaxTableNameLengthForDatabase('default')
---->
getMergeTreeSetting(setting_name)
---->
SELECT getMergeTreeSetting('index_granularity')
---->
getOSKernelVersion()
---->
SELECT getOSKernelVersion()
---->
getServerPort(port_name)
---->
SELECT getServerPort('tcp_port')
---->
SELECT getServerSetting('allow_use_jemalloc_memory')
---->
getSetting(setting_name)
---->
SELECT getSetting('enable_analyzer')
---->
SET enable_analyzer = false
---->
getSettingOrDefault(setting_name, default_value)
---->
SELECT getSettingOrDefault('custom_undef1', 'my_value')
---->
SELECT getSettingOrDefault('custom_undef2', 100)
---->
SELECT getSettingOrDefault('custom_undef3', NULL)
---->
getSizeOfEnumType(x)
---->
SELECT getSizeOfEnumType(CAST('a' AS Enum8('a' = 1, 'b' = 2))) AS x
---->
getSubcolumn(nested_value, subcolumn_name)
---->
SELECT getSubcolumn(array_col, 'size0'), getSubcolumn(tuple_col, 'elem_name')
---->
getTypeSerializationStreams(col)
---->
SELECT getTypeSerializationStreams(tuple('a', 1, 'b', 2))
---->
SELECT getTypeSerializationStreams('Map(String, Int64)')
---->
globalIn(x, set)
---->
SELECT 1 IN (1, 2, 3)
---->
globalNotIn(x, set)
---->
SELECT 4 NOT IN (1, 2, 3)
---->
globalNotNullIn(x, set)
---->
SELECT notNullIn(NULL, tuple(1, NULL))
---->
globalNullIn(x, set)
---->
SELECT nullIn(NULL, tuple(1, NULL))
---->
globalVariable(name)
---->
SELECT globalVariable('max_allowed_packet')
---->
greatCircleAngle(lon1Deg, lat1Deg, lon2Deg, lat2Deg)
---->
SELECT greatCircleAngle(0, 0, 45, 0) AS angle
---->
greatCircleDistance(lon1Deg, lat1Deg, lon2Deg, lat2Deg)
---->
SELECT greatCircleDistance(55.755831, 37.617673, -55.755831, -37.617673) AS greatCircleDistance
---->
greater(a, b)
    -- a > b
---->
SELECT 2 > 1, 1 > 2
---->
greaterOrEquals(a, b)
    -- a >= b
---->
SELECT 2 >= 1, 2 >= 2, 1 >= 2
---->
-- The type returned is a Float64 as the UInt8 must be promoted to 64 bit for the comparison.
SELECT greatest(1, 2, toUInt8(3), 3.) AS result, toTypeName(result) AS type
---->
SELECT greatest(['hello'], ['there'], ['world'])
---->
-- The type returned is a DateTime64 as the DateTime32 must be promoted to 64 bit for the comparison.
SELECT greatest(toDateTime32('2025-01-02 12:00:00'), toDateTime64('2025-01-01 12:00:00.000', 3))
---->
SELECT id, groupArray(10)(name) FROM default.ck GROUP BY id
---->
groupArrayInsertAt(default_x, size)([x, pos])
---->
SELECT groupArrayInsertAt(toString(number), number * 2) FROM numbers(5)
---->
SELECT groupArrayInsertAt('-')(toString(number), number * 2) FROM numbers(5)
---->
SELECT groupArrayInsertAt('-', 5)(toString(number), number * 2) FROM numbers(5)
---->
SELECT groupArrayInsertAt(number, 0) FROM numbers_mt(10) SETTINGS max_block_size = 1
---->
groupArrayIntersect(x)
---->
-- Create table with Memory engine
CREATE TABLE numbers (
    a Array(Int32)
) ENGINE = Memory
---->
-- Insert sample data
INSERT INTO numbers VALUES
    ([1,2,4]),
    ([1,5,2,8,-1,0]),
    ([1,5,7,5,8,2])
---->
SELECT groupArrayIntersect(a) AS intersection FROM numbers
---->
groupArrayLast(max_size)(x)
---->
SELECT groupArrayLast(2)(number+1) numbers FROM numbers(10)
---->
-- Compare with groupArray (first values)
SELECT groupArray(2)(number+1) numbers FROM numbers(10)
---->
CREATE TABLE t
(
    `int` UInt8,
    `float` Float32,
    `dec` Decimal32(2)
)
ENGINE = Memory
---->
INSERT INTO t VALUES (1, 1.1, 1.10), (2, 2.2, 2.20), (4, 4.4, 4.40), (7, 7.77, 7.77)
---->
SELECT
    groupArrayMovingAvg(int) AS I,
    groupArrayMovingAvg(float) AS F,
    groupArrayMovingAvg(dec) AS D
FROM t
---->
SELECT
    groupArrayMovingAvg(2)(int) AS I,
    groupArrayMovingAvg(2)(float) AS F,
    groupArrayMovingAvg(2)(dec) AS D
FROM t
---->
SELECT
    groupArrayMovingSum(int) AS I,
    groupArrayMovingSum(float) AS F,
    groupArrayMovingSum(dec) AS D
FROM t
---->
SELECT
    groupArrayMovingSum(2)(int) AS I,
    groupArrayMovingSum(2)(float) AS F,
    groupArrayMovingSum(2)(dec) AS D
FROM t
---->
CREATE TABLE default.colors (
    id Int32,
    color String
) ENGINE = Memory
---->
INSERT INTO default.colors VALUES
(1, 'red'),
(2, 'blue'),
(3, 'green'),
(4, 'white'),
(5, 'orange')
---->
SELECT groupArraySample(3)(color) as newcolors FROM default.colors
---->
-- Query with column name and different seed
SELECT groupArraySample(3, 987654321)(color) as newcolors FROM default.colors
---->
-- Query with expression as argument
SELECT groupArraySample(3)(concat('light-', color)) as newcolors FROM default.colors
---->
groupArraySorted(N)(column)
---->
SELECT groupArraySorted(10)(number) FROM numbers(100)
---->
SELECT groupArraySorted(5)(str) FROM (SELECT toString(number) AS str FROM numbers(5))
---->
groupBitAnd(expr)
---->
CREATE TABLE t (num UInt32) ENGINE = Memory
---->
INSERT INTO t VALUES (44), (28), (13), (85)
---->
-- Test data:
-- binary     decimal
-- 00101100 = 44
-- 00011100 = 28
-- 00001101 = 13
-- 01010101 = 85

SELECT groupBitAnd(num) FROM t
---->
groupBitOr(expr)
---->
-- Test data:
-- binary     decimal
-- 00101100 = 44
-- 00011100 = 28
-- 00001101 = 13
-- 01010101 = 85

SELECT groupBitOr(num) FROM t
---->
groupBitXor(expr)
---->
-- Test data:
-- binary     decimal
-- 00101100 = 44
-- 00011100 = 28
-- 00001101 = 13
-- 01010101 = 85

SELECT groupBitXor(num) FROM t
---->
CREATE TABLE t (UserID UInt32) ENGINE = Memory
---->
INSERT INTO t VALUES (1), (1), (2), (3)
---->
SELECT groupBitmap(UserID) AS num FROM t
---->
CREATE TABLE bitmap_column_expr_test2
(
    tag_id String,
    z AggregateFunction(groupBitmap, UInt32)
)
ENGINE = MergeTree
ORDER BY tag_id
---->
INSERT INTO bitmap_column_expr_test2 VALUES ('tag1', bitmapBuild(cast([1,2,3,4,5,6,7,8,9,10] AS Array(UInt32))))
---->
INSERT INTO bitmap_column_expr_test2 VALUES ('tag2', bitmapBuild(cast([6,7,8,9,10,11,12,13,14,15] AS Array(UInt32))))
---->
INSERT INTO bitmap_column_expr_test2 VALUES ('tag3', bitmapBuild(cast([2,4,6,8,10,12] AS Array(UInt32))))
---->
SELECT groupBitmapAnd(z) FROM bitmap_column_expr_test2 WHERE like(tag_id, 'tag%')
---->
SELECT arraySort(bitmapToArray(groupBitmapAndState(z))) FROM bitmap_column_expr_test2 WHERE like(tag_id, 'tag%')
---->
SELECT groupBitmapOr(z) FROM bitmap_column_expr_test2 WHERE like(tag_id, 'tag%')
---->
SELECT arraySort(bitmapToArray(groupBitmapOrState(z))) FROM bitmap_column_expr_test2 WHERE like(tag_id, 'tag%')
---->
SELECT groupBitmapXor(z) FROM bitmap_column_expr_test2 WHERE like(tag_id, 'tag%')
---->
SELECT arraySort(bitmapToArray(groupBitmapXorState(z))) FROM bitmap_column_expr_test2 WHERE like(tag_id, 'tag%')
---->
SELECT groupConcat(Name) FROM Employees
---->
SELECT groupConcat(', ')(Name) FROM Employees
---->
SELECT groupConcat(Name, ', ') FROM Employees
---->
SELECT groupConcat(', ', 2)(Name) FROM Employees
---->
SELECT groupFormat('JSONEachRow')(number, toString(number))
FROM numbers(3)
---->
CREATE TABLE t (x UInt8) ENGINE = Memory
---->
INSERT INTO t VALUES (1), (2), (1), (3), (2), (4)
---->
SELECT groupUniqArray(x) FROM t
---->
SELECT groupUniqArray(2)(x) FROM t
---->
h3CellAreaM2(index)
---->
SELECT h3CellAreaM2(579205133326352383) AS area
---->
h3CellAreaRads2(index)
---->
SELECT h3CellAreaRads2(579205133326352383) AS area
---->
h3Distance(start, end)
---->
SELECT h3Distance(590080540275638271, 590103561300344831) AS distance
---->
h3EdgeAngle(resolution)
---->
SELECT h3EdgeAngle(10) AS edgeAngle
---->
h3EdgeLengthKm(resolution)
---->
SELECT h3EdgeLengthKm(15) AS edgeLengthKm
---->
h3EdgeLengthM(resolution)
---->
SELECT h3EdgeLengthM(15) AS edgeLengthM
---->
h3ExactEdgeLengthKm(index)
---->
SELECT h3ExactEdgeLengthKm(1310277011704381439) AS exactEdgeLengthKm
---->
h3ExactEdgeLengthM(index)
---->
SELECT h3ExactEdgeLengthM(1310277011704381439) AS exactEdgeLengthM
---->
h3ExactEdgeLengthRads(index)
---->
SELECT h3ExactEdgeLengthRads(1310277011704381439) AS exactEdgeLengthRads
---->
h3GetBaseCell(index)
---->
SELECT h3GetBaseCell(612916788725809151) AS basecell
---->
h3GetDestinationIndexFromUnidirectionalEdge(edge)
---->
SELECT h3GetDestinationIndexFromUnidirectionalEdge(1248204388774707197) AS destination
---->
h3GetFaces(index)
---->
SELECT h3GetFaces(599686042433355775) AS faces
---->
h3GetIndexesFromUnidirectionalEdge(edge)
---->
SELECT h3GetIndexesFromUnidirectionalEdge(1248204388774707199) AS indexes
---->
h3GetOriginIndexFromUnidirectionalEdge(edge)
---->
SELECT h3GetOriginIndexFromUnidirectionalEdge(1248204388774707197) AS origin
---->
h3GetPentagonIndexes(resolution)
---->
SELECT h3GetPentagonIndexes(3) AS indexes
---->
h3GetRes0Indexes()
---->
SELECT h3GetRes0Indexes() AS indexes
---->
h3GetResolution(index)
---->
SELECT h3GetResolution(617420388352917503) AS res
---->
h3GetUnidirectionalEdge(origin, destination)
---->
SELECT h3GetUnidirectionalEdge(599686042433355775, 599686030622195711)
---->
h3GetUnidirectionalEdgeBoundary(index)
---->
SELECT h3GetUnidirectionalEdgeBoundary(1248204388774707199) AS boundary
---->
h3GetUnidirectionalEdgesFromHexagon(index)
---->
SELECT h3GetUnidirectionalEdgesFromHexagon(599686042433355775) AS edges
---->
h3HexAreaKm2(resolution)
---->
SELECT h3HexAreaKm2(13) AS area
---->
h3HexAreaM2(resolution)
---->
SELECT h3HexAreaM2(13) AS area
---->
h3HexRing(index, k)
---->
SELECT h3HexRing(590080540275638271, toUInt16(1)) AS hexRing
---->
h3IndexesAreNeighbors(index1, index2)
---->
SELECT h3IndexesAreNeighbors(617420388351344639, 617420388352655359) AS n
---->
h3IsPentagon(index)
---->
SELECT h3IsPentagon(644721767722457330) AS pentagon
---->
h3IsResClassIII(index)
---->
SELECT h3IsResClassIII(617420388352917503) AS res
---->
h3IsValid(h3index)
---->
SELECT h3IsValid(630814730351855103) AS isValid
---->
SELECT h3IsValid(12345) AS isValid
---->
h3Line(start, end)
---->
SELECT h3Line(590080540275638271, 590103561300344831) AS indexes
---->
h3NumHexagons(resolution)
---->
SELECT h3NumHexagons(3) AS numHexagons
---->
h3PointDistKm(lat1, lon1, lat2, lon2)
---->
SELECT h3PointDistKm(-10.0, 0.0, 10.0, 0.0) AS h3PointDistKm
---->
h3PointDistM(lat1, lon1, lat2, lon2)
---->
SELECT h3PointDistM(-10.0, 0.0, 10.0, 0.0) AS h3PointDistM
---->
h3PointDistRads(lat1, lon1, lat2, lon2)
---->
SELECT h3PointDistRads(-10.0, 0.0, 10.0, 0.0) AS h3PointDistRads
---->
h3PolygonToCells(geometry, resolution)
---->
h3PolygonToCellsWithContainment(geometry, resolution, flags)
---->
h3ToCenterChild(index, resolution)
---->
SELECT h3ToCenterChild(577023702256844799, 1) AS centerToChild
---->
h3ToChildren(index, resolution)
---->
SELECT h3ToChildren(599405990164561919, 6) AS children
---->
h3ToGeo(h3Index)
---->
SELECT h3ToGeo(644325524701193974) AS coordinates
---->
h3ToGeoBoundary(h3Index)
---->
SELECT h3ToGeoBoundary(644325524701193974) AS coordinates
---->
h3ToParent(index, resolution)
---->
SELECT h3ToParent(599405990164561919, 3) AS parent
---->
h3ToString(index)
---->
SELECT h3ToString(617420388352917503) AS h3_string
---->
h3UnidirectionalEdgeIsValid(index)
---->
SELECT h3UnidirectionalEdgeIsValid(1248204388774707199) AS validOrNot
---->
h3kRing(h3index, k)
---->
SELECT arrayJoin(h3kRing(644325529233966508, 1)) AS h3index
---->
SELECT HEX(halfMD5('abc', 'cde', 'fgh'))
---->
has(haystack, needle)
---->
SELECT has([1, 2, 3], 2)
---->
SELECT has([1, 2, 3], 4)
---->
SELECT has(map('a', 1, 'b', 2), 'b')
---->
SELECT has('{"a": {"b": 1}}'::JSON, 'a.b')
---->
hasAll(set, subset)
---->
SELECT hasAll([], [])
---->
SELECT hasAll([1, Null], [Null])
---->
SELECT hasAll([1.0, 2, 3, 4], [1, 3])
---->
SELECT hasAll(['a', 'b'], ['a'])
---->
SELECT hasAll([1], ['a'])
---->
SELECT hasAll([[1, 2], [3, 4]], [[1, 2], [3, 5]])
---->
hasAllTokens(input, needles)
---->
CREATE TABLE doc (
    id UInt32,
    msg String,
    INDEX idx(msg) TYPE text(tokenizer = splitByString(['()', '\\']))
)
ENGINE = MergeTree
ORDER BY id
---->
INSERT INTO doc VALUES (1, '()a,\\bc()d'), (2, '()\\a()bc\\d'), (3, ',()a\\,bc,(),d,')
---->
SELECT count() FROM doc WHERE hasAllTokens(msg, 'a\\d()')
---->
SELECT count() FROM doc WHERE hasAllTokens(msg, ['a', 'd'])
---->
SELECT count() FROM doc WHERE hasAllTokens(msg, tokens('a()d', 'splitByString', ['()', '\\']))
---->
SELECT hasAllTokens('abcdef', 'abc', 'ngrams(3)')
---->
CREATE TABLE log (
    id UInt32,
    tags Array(String),
    attributes Map(String, String),
    INDEX idx_tags (tags) TYPE text(tokenizer = splitByNonAlpha),
    INDEX idx_attributes_keys mapKeys(attributes) TYPE text(tokenizer = array),
    INDEX idx_attributes_vals mapValues(attributes) TYPE text(tokenizer = array)
)
ENGINE = MergeTree
ORDER BY id
---->
INSERT INTO log VALUES
    (1, ['clickhouse', 'clickhouse cloud'], {'address': '192.0.0.1', 'log_level': 'INFO'}),
    (2, ['chdb'], {'embedded': 'true', 'log_level': 'DEBUG'})
---->
SELECT count() FROM log WHERE hasAllTokens(tags, 'clickhouse')
---->
SELECT count() FROM log WHERE hasAllTokens(mapKeys(attributes), ['address', 'log_level'])
---->
SELECT count() FROM log WHERE hasAllTokens(mapValues(attributes), ['192.0.0.1', 'DEBUG'])
---->
hasAny(arr_x, arr_y)
---->
SELECT hasAny([1], [])
---->
SELECT hasAny([Null], [Null, 1])
---->
SELECT hasAny([-128, 1., 512], [1])
---->
SELECT hasAny([[1, 2], [3, 4]], ['a', 'c'])
---->
SELECT hasAll([[1, 2], [3, 4]], [[1, 2], [1, 2]])
---->
hasAnyTokens(input, needles)
---->
SELECT count() FROM doc WHERE hasAnyTokens(msg, 'a\\d()')
---->
SELECT count() FROM doc WHERE hasAnyTokens(msg, ['a', 'd'])
---->
SELECT count() FROM doc WHERE hasAnyTokens(msg, tokens('a()d', 'splitByString', ['()', '\\']))
---->
SELECT count() FROM log WHERE hasAnyTokens(tags, 'clickhouse')
---->
SELECT count() FROM log WHERE hasAnyTokens(mapKeys(attributes), ['address', 'log_level'])
---->
SELECT count() FROM log WHERE hasAnyTokens(mapValues(attributes), ['192.0.0.1', 'DEBUG'])
---->
hasColumnInTable(database, table, column)
---->
SELECT hasColumnInTable('system','metrics','metric')
---->
SELECT hasColumnInTable('system','metrics','non-existing_column')
---->
SELECT hasPhrase('the quick brown fox jumps', 'quick brown')
---->
SELECT hasPhrase('the quick brown fox jumps', 'quick fox')
---->
hasSubsequence(haystack, needle)
---->
SELECT hasSubsequence('Hello World', 'HlWrd')
---->
SELECT hasSubsequence('Hello World', 'xyz')
---->
hasSubsequenceCaseInsensitive(haystack, needle)
---->
SELECT hasSubsequenceCaseInsensitive('garbage', 'ARG')
---->
hasSubsequenceCaseInsensitiveUTF8(haystack, needle)
---->
SELECT hasSubsequenceCaseInsensitiveUTF8('ClickHouse - столбцовая система управления базами данных', 'СИСТЕМА')
---->
hasSubsequenceUTF8(haystack, needle)
---->
SELECT hasSubsequenceUTF8('картошка', 'кошка')
---->
SELECT hasSubsequenceUTF8('картошка', 'апельсин')
---->
hasSubstr(arr1, arr2)
---->
SELECT hasSubstr([], [])
---->
SELECT hasSubstr([1, Null], [Null])
---->
SELECT hasSubstr([1.0, 2, 3, 4], [1, 3])
---->
SELECT hasSubstr(['a', 'b'], ['a'])
---->
SELECT hasSubstr(['a', 'b' , 'c'], ['a', 'b'])
---->
SELECT hasSubstr(['a', 'b' , 'c'], ['a', 'c'])
---->
SELECT hasSubstr([[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4]])
---->
SELECT hasSubstr([1, 2, NULL, 3, 4], ['a'])
---->
hasThreadFuzzer()
---->
SELECT hasThreadFuzzer()
---->
hasToken(haystack, token)
---->
SELECT hasToken('clickhouse test', 'test')
---->
hasTokenCaseInsensitive(haystack, needle)
---->
hasTokenCaseInsensitiveOrNull(haystack, needle)
---->
hasTokenOrNull(haystack, token)
---->
SELECT hasTokenOrNull('apple banana cherry', 'ban ana')
---->
LAYOUT(HASHED())
---->
LAYOUT(HASHED_ARRAY())
---->
hdfs(URI, format, structure)
---->
SELECT *
FROM hdfs('hdfs://hdfs1:9000/test', 'TSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
LIMIT 2
---->
SELECT count(*)
FROM hdfs('hdfs://hdfs1:9000/{some,another}_dir/some_file_{1..3}', 'TSV', 'name String, value UInt32')
---->
SELECT count(*)
FROM hdfs('hdfs://hdfs1:9000/{some,another}_dir/*', 'TSV', 'name String, value UInt32')
---->
SELECT count(*)
FROM hdfs('hdfs://hdfs1:9000/big_dir/file{0..9}{0..9}{0..9}', 'CSV', 'name String, value UInt32')
---->
SELECT * FROM HDFS('hdfs://hdfs1:9000/data/path/date=*/country=*/code=*/*.parquet') WHERE date > '2020-01-01' AND country = 'Netherlands' AND code = 42
---->
disk(type = hdfs, endpoint = 'hdfs://...')
---->
hdfsCluster(cluster_name, URI, format, structure)
---->
SELECT count(*)
FROM hdfsCluster('cluster_simple', 'hdfs://hdfs1:9000/{some,another}_dir/some_file_{1..3}', 'TSV', 'name String, value UInt32')
---->
SELECT count(*)
FROM hdfsCluster('cluster_simple', 'hdfs://hdfs1:9000/{some,another}_dir/*', 'TSV', 'name String, value UInt32')
---->
hex(arg)
---->
SELECT hex(1)
---->
SELECT hex(toFloat32(number)) AS hex_presentation FROM numbers(15, 2)
---->
SELECT hex(toFloat64(number)) AS hex_presentation FROM numbers(15, 2)
---->
SELECT lower(hex(toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'))) AS uuid_hex
---->
SELECT highlight('The quick brown fox', ['quick', 'fox'])
---->
SELECT highlight('Hello World', ['hello'], '<b>', '</b>')
---->
highlightQuery(query)
---->
SELECT highlightQuery('SELECT 1')
---->
hilbertDecode(tuple_size, code)
---->
SELECT hilbertDecode(2, 31)
---->
-- Hilbert code for one argument is always the argument itself (as a tuple).
SELECT hilbertDecode(1, 1)
---->
-- A single argument with a tuple specifying bit shifts will be right-shifted accordingly.
SELECT hilbertDecode(tuple(2), 32768)
---->
-- First create the table and insert some data
CREATE TABLE hilbert_numbers(
    n1 UInt32,
    n2 UInt32
)
ENGINE=MergeTree()
ORDER BY n1 SETTINGS index_granularity_bytes = '10Mi'
---->
insert into hilbert_numbers (*) values(1,2)
---->
-- Use column names instead of constants as function arguments
SELECT untuple(hilbertDecode(2, hilbertEncode(n1, n2))) FROM hilbert_numbers
---->
SELECT hilbertEncode(3, 4)
---->
-- Range expansion can be beneficial when you need a similar distribution for
-- arguments with wildly different ranges (or cardinality).
-- For example: 'IP Address' (0...FFFFFFFF) and 'Country code' (0...FF).
-- Note: tuple size must be equal to the number of the other arguments.
SELECT hilbertEncode((10, 6), 1024, 16)
---->
-- For a single argument without a tuple, the function returns the argument
-- itself as the Hilbert index, since no dimensional mapping is needed.
SELECT hilbertEncode(1)
---->
-- If a single argument is provided with a tuple specifying bit shifts, the function
-- shifts the argument left by the specified number of bits.
SELECT hilbertEncode(tuple(2), 128)
---->
-- First create the table and insert some data
CREATE TABLE hilbert_numbers(
    n1 UInt32,
    n2 UInt32
)
ENGINE=MergeTree()
ORDER BY n1
---->
insert into hilbert_numbers (*) values(1, 2)
---->
-- Use column names instead of constants as function arguments
SELECT hilbertEncode(n1, n2) FROM hilbert_numbers
---->
hiveHash(arg)
---->
SELECT hiveHash('Hello, world!')
---->
SELECT hop(now(), INTERVAL '1' DAY, INTERVAL '2' DAY)
---->
SELECT hopEnd(now(), INTERVAL '1' DAY, INTERVAL '2' DAY)
---->
SELECT hopStart(now(), INTERVAL '1' DAY, INTERVAL '2' DAY)
---->
hostName()
---->
SELECT hostName()
---->
hypot(x, y)
---->
SELECT hypot(1, 1)
---->
SELECT * FROM icebergS3('http://test.s3.amazonaws.com/clickhouse-bucket/test_table', 'test', 'test')
---->
CREATE TABLE `database_name.table_name`
ENGINE = IcebergS3(
  'http://minio:9000/warehouse-rest/table_name/',
  'minio_access_key',
  'minio_secret_key'
)
---->
CREATE TABLE `my_database.my_table`  
ENGINE = IcebergS3(
  's3://my-data-bucket/warehouse/my_database/my_table/',
  'aws_access_key',
  'aws_secret_key'
)
---->
SELECT * FROM iceberg('s3://bucket/path/to/iceberg_table', 
    SETTINGS iceberg_metadata_table_uuid = 'a90eed4c-f74b-4e5b-b630-096fb9d09021')
---->
SET allow_insert_into_iceberg = 1
---->
CREATE TABLE iceberg_writes_example
(
    x Nullable(String),
    y Nullable(Int32)
)
ENGINE = IcebergLocal('/home/scanhex12/iceberg_example/')
---->
INSERT INTO iceberg_writes_example VALUES ('Pavel', 777), ('Ivanov', 993)
---->
SELECT *
FROM iceberg_writes_example
FORMAT VERTICAL
---->
ALTER TABLE iceberg_writes_example DELETE WHERE x != 'Ivanov'
---->
ALTER TABLE iceberg_writes_example MODIFY COLUMN y Nullable(Int64)
---->
SHOW CREATE TABLE iceberg_writes_example
---->
-- Create some snapshots by inserting data
INSERT INTO iceberg_table VALUES (1)
---->
INSERT INTO iceberg_table VALUES (2)
---->
INSERT INTO iceberg_table VALUES (3)
---->
-- Expire using retention policy only
ALTER TABLE iceberg_table EXECUTE expire_snapshots()
---->
-- Expire with a safety fuse: protect snapshots newer than the timestamp (positional syntax)
ALTER TABLE iceberg_table EXECUTE expire_snapshots('2025-01-01 00:00:00')
---->
-- Same using the named argument form
ALTER TABLE iceberg_table EXECUTE expire_snapshots(expire_before = '2025-01-01 00:00:00')
---->
-- Override retention parameters for one execution
ALTER TABLE iceberg_table EXECUTE expire_snapshots(retention_period = '3d', retain_last = 10)
---->
-- Expire explicit snapshots
ALTER TABLE iceberg_table EXECUTE expire_snapshots(snapshot_ids = [101, 102, 103])
---->
-- Dry-run preview (no metadata updates, no file deletes)
ALTER TABLE iceberg_table EXECUTE expire_snapshots(retention_period = '1d', dry_run = 1)
---->
-- Grant only EXECUTE permission
GRANT ALTER TABLE EXECUTE ON my_iceberg_table TO my_user
---->
-- Or grant all ALTER TABLE permissions (includes ALTER TABLE EXECUTE)
GRANT ALTER TABLE ON my_iceberg_table TO my_user
---->
-- Remove orphan files older than a specific timestamp
ALTER TABLE iceberg_table EXECUTE remove_orphan_files('2026-03-01 00:00:00')
---->
-- Dry run: preview which files would be deleted
ALTER TABLE iceberg_table EXECUTE remove_orphan_files(dry_run = 1)
---->
-- Scan only the data directory
ALTER TABLE iceberg_table EXECUTE remove_orphan_files(
    older_than = '2026-03-01 00:00:00',
    location = 'data/'
)
---->
-- Combine positional older_than with named arguments
ALTER TABLE iceberg_table EXECUTE remove_orphan_files(
    '2026-03-01 00:00:00',
    dry_run = 1
)
---->
SELECT * FROM icebergAzure(url, access_key_id, secret_access_key)
---->
icebergBucket(N, value)
---->
SELECT icebergBucket(5, 1.0 :: Float32)
---->
SELECT * FROM icebergS3Cluster('cluster_simple', 'http://test.s3.amazonaws.com/clickhouse-bucket/test_table', 'test', 'test')
---->
SELECT * FROM icebergHDFS(url)
---->
SELECT * FROM icebergHDFSCluster(cluster, uri, [format], [structure], [compression_method])
---->
icebergHash(value)
---->
SELECT icebergHash(1.0 :: Float32)
---->
SELECT * FROM icebergLocal(filename)
---->
SELECT * FROM icebergS3(url, access_key_id, secret_access_key)
---->
icebergTruncate(N, value)
---->
SELECT icebergTruncate(3, 'iceberg')
---->
identity(x)
---->
SELECT identity(42)
---->
SELECT if(number = 0, 0, intDiv(42, number)) FROM numbers(10)
---->
if(cond, then, else)
---->
SELECT if(1, 2 + 2, 2 + 6) AS res
---->
ifNotFinite(x,y)
---->
SELECT 1/0 AS infimum, ifNotFinite(infimum,42)
---->
ifNull(x, alt)
---->
SELECT ifNull('a', 'b'), ifNull(NULL, 'b')
---->
ignore(x)
---->
SELECT ignore(0, 'ClickHouse', NULL)
---->
CREATE TABLE data
(
    key Int,
    x Int,
    y Int,
    INDEX x_idx x TYPE minmax GRANULARITY 1,
    INDEX y_idx y TYPE minmax GRANULARITY 1,
    INDEX xy_idx (x,y) TYPE minmax GRANULARITY 1
)
Engine=MergeTree()
ORDER BY key
---->
INSERT INTO data VALUES (1, 2, 3)
---->
SELECT * FROM data
---->
SELECT * FROM data SETTINGS ignore_data_skipping_indices=''
---->
-- query will produce CANNOT_PARSE_TEXT error.
SELECT * FROM data SETTINGS ignore_data_skipping_indices='x_idx'
---->
-- Ok.
SELECT * FROM data SETTINGS ignore_data_skipping_indices='na_idx'
---->
-- Ok.

SELECT * FROM data WHERE x = 1 AND y = 1 SETTINGS ignore_data_skipping_indices='xy_idx',force_data_skipping_indices='xy_idx'
---->
-- query will produce INDEX_NOT_USED error, since xy_idx is explicitly ignored.
SELECT * FROM data WHERE x = 1 AND y = 2 SETTINGS ignore_data_skipping_indices='xy_idx'
---->
EXPLAIN indexes = 1 SELECT * FROM data WHERE x = 1 AND y = 2
---->
EXPLAIN indexes = 1 SELECT * FROM data WHERE x = 1 AND y = 2 SETTINGS ignore_data_skipping_indices='xy_idx'
---->
SELECT ilike('ClickHouse', '%house%')
---->
in(x, set)
---->
SELECT * FROM test WHERE key = 123
---->
SELECT * FROM test WHERE indexHint(key = 123)
---->
indexHint(expression)
---->
SELECT FlightDate AS k, count() FROM ontime WHERE indexHint(k = '2025-09-15') GROUP BY k ORDER BY k ASC
---->
indexOf(arr, x)
---->
SELECT indexOf([5, 4, 1, 3], 3)
---->
SELECT indexOf([1, 3, NULL, NULL], NULL)
---->
indexOfAssumeSorted(arr, x)
---->
SELECT indexOfAssumeSorted([1, 3, 3, 3, 4, 4, 5], 4)
---->
initcap(s)
---->
SELECT initcap('building for fast')
---->
SELECT initcap('John''s cat won''t eat.')
---->
initcapUTF8(s)
---->
SELECT initcapUTF8('не тормозит')
---->
initialQueryID()
---->
CREATE TABLE tmp (str String) ENGINE = Log
---->
INSERT INTO tmp (*) VALUES ('a')
---->
SELECT count(DISTINCT t) FROM (SELECT initialQueryID() AS t FROM remote('127.0.0.{1..3}', currentDatabase(), 'tmp') GROUP BY queryID())
---->
initialQueryStartTime()
---->
SELECT count(DISTINCT t) FROM (SELECT initialQueryStartTime() AS t FROM remote('127.0.0.{1..3}', currentDatabase(), 'tmp') GROUP BY queryID())
---->
SELECT uniqMerge(state) FROM (SELECT initializeAggregation('uniqState', number % 3) AS state FROM numbers(10000))
---->
SELECT finalizeAggregation(state), toTypeName(state) FROM (SELECT initializeAggregation('sumState', number % 3) AS state FROM numbers(5))
---->
SET input_format_json_infer_array_of_dynamic_from_array_of_different_types=1
---->
DESC format(JSONEachRow, '{"a" : [42, "hello", [1, 2, 3]]}')
---->
SET input_format_json_infer_array_of_dynamic_from_array_of_different_types=0
---->
SET input_format_json_infer_incomplete_types_as_strings = 1, input_format_json_try_infer_named_tuples_from_objects = 1
---->
DESCRIBE format(JSONEachRow, '{"obj" : {"a" : [1,2,3], "b" : "hello", "c" : null, "d" : {}, "e" : []}}')
---->
SELECT * FROM format(JSONEachRow, '{"obj" : {"a" : [1,2,3], "b" : "hello", "c" : null, "d" : {}, "e" : []}}')
---->
SET input_format_json_read_arrays_as_strings = 1
---->
SELECT arr, toTypeName(arr), JSONExtractArrayRaw(arr)[3] from format(JSONEachRow, 'arr String', '{"arr" : [1, "Hello", [1,2,3]]}')
---->
SET input_format_json_read_objects_as_strings = 1
---->
CREATE TABLE test (id UInt64, obj String, date Date) ENGINE=Memory()
---->
INSERT INTO test FORMAT JSONEachRow {"id" : 1, "obj" : {"a" : 1, "b" : "Hello"}, "date" : "2020-01-01"}
---->
SET input_format_json_try_infer_named_tuples_from_objects = 1
---->
DESC format(JSONEachRow, '{"obj" : {"a" : 42, "b" : "Hello"}}, {"obj" : {"a" : 43, "c" : [1, 2, 3]}}, {"obj" : {"d" : {"e" : 42}}}')
---->
CREATE TABLE test_table
( A Int64 )
ENGINE = MergeTree
ORDER BY A
SETTINGS non_replicated_deduplication_window = 100
---->
INSERT INTO test_table SETTINGS insert_deduplication_token = 'test' VALUES (1)
---->
-- the next insert won't be deduplicated because insert_deduplication_token is different
INSERT INTO test_table SETTINGS insert_deduplication_token = 'test1' VALUES (1)
---->
-- the next insert will be deduplicated because insert_deduplication_token
-- is the same as one of the previous
INSERT INTO test_table SETTINGS insert_deduplication_token = 'test' VALUES (2)
---->
SELECT uniq(shard_num) FROM system.clusters WHERE cluster = 'requested_cluster'
---->
CREATE TABLE x AS system.numbers ENGINE = MergeTree ORDER BY number
---->
CREATE TABLE x_dist AS x ENGINE = Distributed('test_cluster_two_shards_localhost', currentDatabase(), x)
---->
INSERT INTO x_dist SELECT * FROM numbers(5) SETTINGS insert_shard_id = 1
---->
SELECT * FROM x_dist ORDER BY number ASC
---->
intDiv(x, y)
---->
SELECT intDiv(toFloat64(1), 0.001) AS res, toTypeName(res)
---->
SELECT
intDiv(1, 0.001) AS res,
toTypeName(res)
---->
intDivOrNull(x, y)
---->
SELECT intDivOrNull(1, 0)
---->
SELECT intDivOrNull(-9223372036854775808, -1)
---->
intDivOrZero(a, b)
---->
SELECT intDivOrZero(1, 0)
---->
SELECT intDivOrZero(0.05, -1)
---->
intExp10(x)
---->
SELECT intExp10(2)
---->
intExp2(x)
---->
SELECT intExp2(3)
---->
intHash32(arg)
---->
SELECT intHash32(42)
---->
intHash64(int)
---->
SELECT intHash64(42)
---->
intervalLengthSum(start, end)
---->
CREATE TABLE fl_interval (id String, start Float32, end Float32) ENGINE = Memory
---->
INSERT INTO fl_interval VALUES ('a', 1.1, 2.9), ('a', 2.5, 3.2), ('a', 4, 5)
---->
SELECT id, intervalLengthSum(start, end), toTypeName(intervalLengthSum(start, end)) FROM fl_interval GROUP BY id ORDER BY id
---->
CREATE TABLE dt_interval (id String, start DateTime, end DateTime) ENGINE = Memory
---->
INSERT INTO dt_interval VALUES ('a', '2020-01-01 01:12:30', '2020-01-01 02:10:10'), ('a', '2020-01-01 02:05:30', '2020-01-01 02:50:31'), ('a', '2020-01-01 03:11:22', '2020-01-01 03:23:31')
---->
SELECT id, intervalLengthSum(start, end), toTypeName(intervalLengthSum(start, end)) FROM dt_interval GROUP BY id ORDER BY id
---->
CREATE TABLE date_interval (id String, start Date, end Date) ENGINE = Memory
---->
INSERT INTO date_interval VALUES ('a', '2020-01-01', '2020-01-04'), ('a', '2020-01-12', '2020-01-18')
---->
SELECT id, intervalLengthSum(start, end), toTypeName(intervalLengthSum(start, end)) FROM date_interval GROUP BY id ORDER BY id
---->
LAYOUT(IP_TRIE())
---->
isConstant(x)
---->
SELECT isConstant(x + 1)
FROM (SELECT 43 AS x)
---->
WITH 3.14 AS pi
SELECT isConstant(cos(pi))
---->
SELECT isConstant(number)
FROM numbers(1)
---->
SELECT isConstant(now())
---->
SELECT isDecimalOverflow(toDecimal32(1000000000, 0), 9),
       isDecimalOverflow(toDecimal32(1000000000, 0)),
       isDecimalOverflow(toDecimal32(-1000000000, 0), 9),
       isDecimalOverflow(toDecimal32(-1000000000, 0))
---->
isDistinctFrom(x, y)
---->
SELECT
    isDistinctFrom(1, 2) AS result_1,
    isDistinctFrom(1, 1) AS result_2,
    isDistinctFrom(NULL, 1) AS result_3,
    isDistinctFrom(NULL, NULL) AS result_4
---->
isDynamicElementInSharedData(dynamic)
---->
CREATE TABLE test (d Dynamic(max_types=2)) ENGINE = Memory
---->
SELECT d, isDynamicElementInSharedData(d) FROM test
---->
isFinite(x)
---->
SELECT isFinite(inf)
---->
isIPAddressInRange(address, prefix)
---->
SELECT isIPAddressInRange('127.0.0.1', '127.0.0.0/8')
---->
SELECT isIPAddressInRange('127.0.0.1', 'ffff::/16')
---->
SELECT isIPAddressInRange('::ffff:192.168.0.1', '::ffff:192.168.0.4/128')
---->
isIPv4String(string)
---->
SELECT addr, isIPv4String(addr)
FROM(
SELECT ['0.0.0.0', '127.0.0.1', '::ffff:127.0.0.1'] AS addr
)
ARRAY JOIN addr
---->
isIPv6String(string)
---->
SELECT addr, isIPv6String(addr)
FROM(SELECT ['::', '1111::ffff', '::ffff:127.0.0.1', '127.0.0.1'] AS addr)
ARRAY JOIN addr
---->
isInfinite(x)
---->
isMergeTreePartCoveredBy(nested_part, covering_part)
---->
WITH 'all_12_25_7_4' AS lhs, 'all_7_100_10_20' AS rhs
SELECT isMergeTreePartCoveredBy(rhs, lhs), isMergeTreePartCoveredBy(lhs, rhs)
---->
isNaN(x)
---->
SELECT isNaN(NaN)
---->
isNotDistinctFrom(x, y)
---->
SELECT
    isNotDistinctFrom(1, 1) AS result_1,
    isNotDistinctFrom(1, 2) AS result_2,
    isNotDistinctFrom(NULL, NULL) AS result_3,
    isNotDistinctFrom(NULL, 1) AS result_4
---->
isNotNull(x)
---->
CREATE TABLE t_null
(
  x Int32,
  y Nullable(Int32)
)
ENGINE = MergeTree
ORDER BY tuple()
---->
SELECT x FROM t_null WHERE isNotNull(y)
---->
isNull(x)
---->
SELECT x FROM t_null WHERE isNull(y)
---->
isNullable(x)
---->
CREATE TABLE tab (
    ordinary_col UInt32,
    nullable_col Nullable(UInt32)
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO tab (ordinary_col, nullable_col) VALUES (1,1), (2, 2), (3,3)
---->
SELECT isNullable(ordinary_col), isNullable(nullable_col) FROM tab
---->
isPrime(n)
---->
SELECT isPrime(17)
---->
SELECT isPrime(18)
---->
SELECT isPrime(18446744073709551557)
---->
SELECT isPrime(18446744073709551615)
---->
SELECT isProbablePrime(17)
---->
SELECT isProbablePrime(18)
---->
SELECT isProbablePrime(18446744073709551557)
---->
SELECT isProbablePrime(toUInt128('170141183460469231731687303715884105727'))
---->
SELECT isProbablePrime(toUInt256('57896044618658097711785492504343953926634992332820282019728792003956564819949'))
---->
SELECT isProbablePrime(toUInt256('57896044618658097711785492504343953926634992332820282019728792003956564819949'), 5)
---->
isValidASCII(str)
---->
SELECT isValidASCII('hello') AS is_ascii, isValidASCII('你好') AS is_not_ascii
---->
isValidJSON(json)
---->
SELECT isValidJSON('{"a": "hello", "b": [-100, 200.0, 300]}') = 1
---->
SELECT isValidJSON('not JSON') = 0
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', 0)
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', 1)
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', 2)
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', -1)
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', -2)
---->
SELECT JSONHas('{"a": "hello", "b": [-100, 200.0, 300]}', 3)
---->
isValidUTF8(s)
---->
SELECT isValidUTF8('\\xc3\\xb1') AS valid, isValidUTF8('\\xc3\\x28') AS invalid
---->
isZeroOrNull(x)
---->
INSERT INTO t_null VALUES (1, NULL), (2, 0), (3, 3)
---->
SELECT x FROM t_null WHERE isZeroOrNull(y)
---->
jaroSimilarity(s1, s2)
---->
SELECT jaroSimilarity('clickhouse', 'click')
---->
jaroWinklerSimilarity(s1, s2)
---->
SELECT jaroWinklerSimilarity('clickhouse', 'click')
---->
javaHash(arg)
---->
SELECT javaHash(toInt32(123))
---->
SELECT javaHash('Hello, world!')
---->
javaHashUTF16LE(arg)
---->
SELECT javaHashUTF16LE(convertCharset('test', 'utf-8', 'utf-16le'))
---->
SELECT * FROM jdbc('jdbc:mysql://localhost:3306/?user=root&password=root', 'schema', 'table')
---->
SELECT * FROM jdbc('mysql://localhost:3306/?user=root&password=root', 'select * from schema.table')
---->
SELECT * FROM jdbc('mysql-dev?p1=233', 'num Int32', 'select toInt32OrZero(''{{p1}}'') as num')
---->
SELECT a.datasource AS server1, b.datasource AS server2, b.name AS db
FROM jdbc('mysql-dev?datasource_column', 'show databases') a
INNER JOIN jdbc('self?datasource_column', 'show databases') b ON a.Database = b.name
---->
joinGet(join_storage_table_name, value_column, join_keys)
---->
CREATE TABLE db_test.id_val(`id` UInt32, `val` UInt32) ENGINE = Join(ANY, LEFT, id)
---->
INSERT INTO db_test.id_val VALUES (1,11)(2,12)(4,13)
---->
SELECT joinGet(db_test.id_val, 'val', toUInt32(1))
---->
USE db_test
---->
SELECT joinGet(id_val, 'val', toUInt32(2))
---->
CREATE TABLE some_table (id1 UInt32, id2 UInt32, name String) ENGINE = Join(ANY, LEFT, id1, id2)
---->
INSERT INTO some_table VALUES (1, 11, 'a') (2, 12, 'b') (3, 13, 'c')
---->
SELECT joinGet(some_table, 'name', 1, 11)
---->
joinGetOrNull(join_storage_table_name, value_column, join_keys)
---->
SELECT joinGetOrNull(db_test.id_val, 'val', toUInt32(1)), joinGetOrNull(db_test.id_val, 'val', toUInt32(999))
---->
jumpConsistentHash(key, buckets)
---->
SELECT jumpConsistentHash(256, 4)
---->
SELECT
    kafkaMurmurHash('foobar') AS res1,
    kafkaMurmurHash(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS res2
---->
keccak256(message)
---->
SELECT hex(keccak256('hello'))
---->
kolmogorovSmirnovTest([alternative, computation_method])(sample_data, sample_index)
---->
SELECT kolmogorovSmirnovTest('less', 'exact')(value, num)
FROM
(
    SELECT
        randNormal(0, 10) AS value,
        0 AS num
    FROM numbers(10000)
    UNION ALL
    SELECT
        randNormal(0, 10) AS value,
        1 AS num
    FROM numbers(10000)
)
---->
SELECT kolmogorovSmirnovTest('two-sided', 'exact')(value, num)
FROM
(
    SELECT
        randStudentT(10) AS value,
        0 AS num
    FROM numbers(100)
    UNION ALL
    SELECT
        randNormal(0, 10) AS value,
        1 AS num
    FROM numbers(100)
)
---->
kostikConsistentHash(input, n)
---->
SELECT kostikConsistentHash(16045690984833335023, 2)
---->
kurtPop(expr)
---->
CREATE TABLE test_data (x Float64) ENGINE = Memory
---->
INSERT INTO test_data VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)
---->
SELECT kurtPop(x) FROM test_data
---->
kurtSamp(expr)
---->
SELECT kurtSamp(x) FROM test_data
---->
CREATE TABLE stock_prices
(
    `date`   Date,
    `open`   Float32, -- opening price
    `high`   Float32, -- daily high
    `low`    Float32, -- daily low
    `close`  Float32, -- closing price
    `volume` UInt32   -- trade volume
)
Engine = Memory
---->
INSERT INTO stock_prices FORMAT Values
    ('2024-06-03', 113.62, 115.00, 112.00, 115.00, 438392000),
    ('2024-06-04', 115.72, 116.60, 114.04, 116.44, 403324000),
    ('2024-06-05', 118.37, 122.45, 117.47, 122.44, 528402000),
    ('2024-06-06', 124.05, 125.59, 118.32, 121.00, 664696000),
    ('2024-06-07', 119.77, 121.69, 118.02, 120.89, 412386000)
---->
SELECT
    date,
    close,
    lag(close, 1, close) OVER (ORDER BY date ASC) AS previous_day_close,
    COALESCE(ROUND(close - previous_day_close, 2)) AS delta,
    COALESCE(ROUND((delta / previous_day_close) * 100, 2)) AS percent_change
FROM stock_prices
ORDER BY date DESC
---->
SELECT
    date,
    close,
    lagInFrame(close, 1, close) OVER (ORDER BY date ASC
       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
     ) AS previous_day_close,
    COALESCE(ROUND(close - previous_day_close, 2)) AS delta,
    COALESCE(ROUND((delta / previous_day_close) * 100, 2)) AS percent_change
FROM stock_prices
ORDER BY date DESC
---->
largestTriangleThreeBuckets(n)(x, y)
---->
CREATE TABLE largestTriangleThreeBuckets_test (x Float64, y Float64) ENGINE = Memory
---->
INSERT INTO largestTriangleThreeBuckets_test VALUES
    (1.0, 10.0), (2.0, 20.0), (3.0, 15.0), (8.0, 60.0), (9.0, 55.0),
    (10.0, 70.0), (4.0, 30.0), (5.0, 40.0), (6.0, 35.0), (7.0, 50.0)
---->
SELECT largestTriangleThreeBuckets(4)(x, y) FROM largestTriangleThreeBuckets_test
---->
lcm(x, y)
---->
SELECT lcm(6, 8)
---->
CREATE OR REPLACE VIEW nobel_prize_laureates
AS SELECT *
FROM file('nobel_laureates_data.csv')
---->
SELECT
    fullName,
    lead(year, 1, year) OVER (PARTITION BY category ORDER BY year ASC
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS year,
    category,
    motivation
FROM nobel_prize_laureates
WHERE category = 'physics'
ORDER BY year DESC
LIMIT 9
---->
SELECT
    fullName,
    leadInFrame(year, 1, year) OVER (PARTITION BY category ORDER BY year ASC
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS year,
    category,
    motivation
FROM nobel_prize_laureates
WHERE category = 'physics'
ORDER BY year DESC
LIMIT 9
---->
-- The type returned is a Float64 as the UInt8 must be promoted to 64 bit for the comparison.
SELECT least(1, 2, toUInt8(3), 3.) AS result, toTypeName(result) AS type
---->
SELECT least(['hello'], ['there'], ['world'])
---->
-- The type returned is a DateTime64 as the DateTime32 must be promoted to 64 bit for the comparison.
SELECT least(toDateTime32('2025-01-02 12:00:00'), toDateTime64('2025-01-01 12:00:00.000', 3))
---->
left(s, offset)
---->
SELECT left('Hello World', 5)
---->
SELECT left('Hello World', -6)
---->
SELECT leftPad('abc', 7, '*'), leftPad('def', 7)
---->
SELECT leftPadUTF8('абвг', 7, '*'), leftPadUTF8('дежз', 7)
---->
leftUTF8(s, offset)
---->
SELECT leftUTF8('Привет', 4)
---->
SELECT leftUTF8('Привет', -4)
---->
length(x)
---->
SELECT length('Hello, world!')
---->
SELECT length(['Hello', 'world'])
---->
SELECT length([0, 0, 0, 0, 0, 0, 0, 0]::QBit(Float32, 8))
---->
WITH 'hello' || toString(number) AS str
SELECT str,
isConstant(length(str)) AS str_length_is_constant,
isConstant(length(str::FixedString(6))) AS fixed_str_length_is_constant
FROM numbers(3)
---->
SELECT 'ёлка' AS str1, length(str1), lengthUTF8(str1), normalizeUTF8NFKD(str1) AS str2, length(str2), lengthUTF8(str2)
---->
SELECT 'ábc' AS str, length(str), lengthUTF8(str)
---->
lengthUTF8(s)
---->
SELECT lengthUTF8('Здравствуй, мир!')
---->
less(a, b)
    -- a < b
---->
SELECT 1 < 2, 2 < 1
---->
lessOrEquals(a, b)
-- a <= b
---->
SELECT 1 <= 2, 2 <= 2, 3 <= 2
---->
lgamma(x)
---->
SELECT lgamma(5)
---->
SELECT like('ClickHouse', '%House')
---->
SELECT like('ClickHouse', 'Click_ouse')
---->
SELECT like('ClickHouse', '%SQL%')
---->
SELECT '50%off' LIKE '50#%off' ESCAPE '#'
---->
load_balancing = random
---->
load_balancing = nearest_hostname
---->
load_balancing = hostname_levenshtein_distance
---->
load_balancing = hostname_longest_common_prefix
---->
load_balancing = hostname_longest_common_suffix
---->
load_balancing = in_order
---->
load_balancing = first_or_random
---->
load_balancing = round_robin
---->
disk(type = local, path = '/var/lib/clickhouse/disk_local/')
---->
disk(type = local_blob_storage, path = '/var/lib/clickhouse/disk_local_blob/')
---->
localtime()
---->
SELECT LOCALTIME
---->
SELECT locate('ca', 'abcabc')
---->
log(x)
---->
SELECT log(10)
---->
log10(x)
---->
SELECT log10(100)
---->
log1p(x)
---->
SELECT log1p(0)
---->
log2(x)
---->
SELECT log2(8)
---->
logTrace(message)
---->
SELECT logTrace('logTrace message')
---->
SET log_comment = 'log_comment test', log_queries = 1
---->
SELECT 1
---->
SYSTEM FLUSH LOGS
---->
SELECT type, query FROM system.query_log WHERE log_comment = 'log_comment test' AND event_date >= yesterday() ORDER BY event_time DESC LIMIT 2
---->
SELECT * FROM loop(test_database, test_table)
---->
SELECT * FROM loop(test_database.test_table)
---->
SELECT * FROM loop(test_table)
---->
SELECT * FROM loop(numbers(3)) LIMIT 7
---->
SELECT * FROM loop(mysql('localhost:3306', 'test', 'test', 'user', 'password'))
---->
lowCardinalityIndices(col)
---->
CREATE TABLE test (s LowCardinality(String)) ENGINE = Memory
---->
-- create two parts:

INSERT INTO test VALUES ('ab'), ('cd'), ('ab'), ('ab'), ('df')
---->
INSERT INTO test VALUES ('ef'), ('cd'), ('ab'), ('cd'), ('ef')
---->
SELECT s, lowCardinalityIndices(s) FROM test
---->
lowCardinalityKeys(col)
---->
SELECT s, lowCardinalityKeys(s) FROM test
---->
lower(s)
---->
SELECT lower('CLICKHOUSE')
---->
lowerUTF8(input)
---->
SELECT lowerUTF8('München') as Lowerutf8
---->
SELECT makeDate(2023, 2, 28) AS date
---->
SELECT makeDate(2023, 42) AS date
---->
SELECT makeDateTime(2023, 2, 28, 17, 12, 33) AS DateTime
---->
SELECT makeDateTime64(2023, 5, 15, 10, 30, 45, 779, 5)
---->
CREATE TABLE mww_ttest (sample_data Float64, sample_index UInt8) ENGINE = Memory
---->
INSERT INTO mww_ttest VALUES (10, 0), (11, 0), (12, 0), (1, 1), (2, 1), (3, 1)
---->
SELECT mannWhitneyUTest('greater')(sample_data, sample_index) FROM mww_ttest
---->
SELECT map('key1', number, 'key2', number * 2) FROM numbers(3)
---->
SELECT mapAdd(map(1, 1), map(1, 1))
---->
SELECT mapAdd(([toUInt8(1), 2], [1, 1]), ([toUInt8(1), 2], [1, 1]))
---->
SELECT mapAll((k, v) -> v = 1, map('k1', 1, 'k2', 2))
---->
mapApply(func, map)
---->
SELECT mapApply((k, v) -> (k, v * 2), map('k1', 1, 'k2', 2))
---->
mapConcat(maps)
---->
SELECT mapConcat(map('k1', 'v1'), map('k2', 'v2'))
---->
mapContainsKey(map, key)
---->
SELECT mapContainsKey(map('k1', 'v1', 'k2', 'v2'), 'k1')
---->
mapContainsKeyLike(map, pattern)
---->
CREATE TABLE tab (a Map(String, String))
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO tab VALUES ({'abc':'abc','def':'def'}), ({'hij':'hij','klm':'klm'})
---->
SELECT mapContainsKeyLike(a, 'a%') FROM tab
---->
mapContainsValue(map, value)
---->
SELECT mapContainsValue(map('k1', 'v1', 'k2', 'v2'), 'v1')
---->
mapContainsValueLike(map, pattern)
---->
SELECT mapContainsValueLike(a, 'a%') FROM tab
---->
SELECT mapExists((k, v) -> v = 1, map('k1', 1, 'k2', 2))
---->
mapExtractKeyLike(map, pattern)
---->
SELECT mapExtractKeyLike(a, 'a%') FROM tab
---->
mapExtractValueLike(map, pattern)
---->
SELECT mapExtractValueLike(a, 'a%') FROM tab
---->
mapFilter(func, map)
---->
SELECT mapFilter((k, v) -> v > 1, map('k1', 1, 'k2', 2))
---->
mapFromArrays(keys, values)
---->
SELECT mapFromArrays(['a', 'b', 'c'], [1, 2, 3])
---->
SELECT mapFromArrays([1, 2, 3], map('a', 1, 'b', 2, 'c', 3))
---->
mapKeys(map)
---->
SELECT mapKeys(map('k1', 'v1', 'k2', 'v2'))
---->
SELECT mapPartialReverseSort((k, v) -> v, 2, map('k1', 3, 'k2', 1, 'k3', 2))
---->
SELECT mapPartialSort((k, v) -> v, 2, map('k1', 3, 'k2', 1, 'k3', 2))
---->
SELECT mapPopulateSeries(map(1, 10, 5, 20), 6)
---->
SELECT mapPopulateSeries([1, 2, 4], [11, 22, 44], 5)
---->
SELECT mapReverseSort((k, v) -> v, map('k1', 3, 'k2', 1, 'k3', 2))
---->
SELECT mapSort((k, v) -> v, map('k1', 3, 'k2', 1, 'k3', 2))
---->
SELECT mapSubtract(map(1, 1), map(1, 1))
---->
SELECT mapSubtract(([toUInt8(1), 2], [toInt32(1), 1]), ([toUInt8(1), 2], [toInt32(2), 1]))
---->
mapUpdate(map1, map2)
---->
SELECT mapUpdate(map('key1', 0, 'key3', 0), map('key1', 10, 'key2', 10))
---->
mapValues(map)
---->
SELECT mapValues(map('k1', 'v1', 'k2', 'v2'))
---->
match(haystack, pattern)
---->
SELECT match('Hello World', 'Hello.*')
---->
SELECT match('Hello World', 'goodbye.*')
---->
SELECT match('abcde', 'b.*d'), match('abcde', '^b.*d$')
---->
materialize(x)
---->
-- In the example below the `countMatches` function expects a constant second argument.
-- This behaviour can be debugged by using the `materialize` function to turn a constant into a full column,
-- verifying that the function throws an error for a non-constant argument.

SELECT countMatches('foobarfoo', 'foo')
---->
SELECT countMatches('foobarfoo', materialize('foo'))
---->
max(column)
---->
CREATE TABLE employees (name String, salary UInt32) ENGINE = Memory
---->
INSERT INTO employees VALUES ('Alice', 3000), ('Bob', 4000), ('Charlie', 3500)
---->
SELECT max(salary) FROM employees
---->
CREATE TABLE sales (department String, revenue UInt32) ENGINE = Memory
---->
INSERT INTO sales VALUES ('Engineering', 100000), ('Engineering', 120000), ('Marketing', 80000), ('Marketing', 90000)
---->
SELECT department, max(revenue) FROM sales GROUP BY department ORDER BY department
---->
-- If you need non-aggregate function to choose a maximum of two values, see greatest():
SELECT greatest(a, b) FROM table
---->
max2(x, y)
---->
SELECT max2(-1, 2)
---->
maxIntersections(start_column, end_column)
---->
CREATE TABLE my_events (
    start UInt32,
    end UInt32
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO my_events VALUES
(1, 3),
(1, 6),
(2, 5),
(3, 7)
---->
SELECT maxIntersections(start, end) FROM my_events
---->
maxIntersectionsPosition(start_column, end_column)
---->
SELECT maxIntersectionsPosition(start, end) FROM my_events
---->
SELECT maxMappedArrays(a, b)
FROM VALUES('a Array(Char), b Array(Int64)', (['x', 'y'], [2, 2]), (['y', 'z'], [3, 1]))
---->
SELECT count()
FROM cluster(cluster, view(SELECT * FROM t SETTINGS max_execution_time = 10))
---->
SELECT count()
FROM cluster(cluster, view(SELECT * FROM t)) SETTINGS max_execution_time_leaf = 10
---->
SELECT multiMatchAny('abcd', ['ab','bcd','c','d']) SETTINGS max_hyperscan_regexp_length = 3
---->
SELECT multiMatchAny('abcd', ['ab','bcd','c','d']) SETTINGS max_hyperscan_regexp_length = 2
---->
SELECT multiMatchAny('abcd', ['a','b','c','d']) SETTINGS max_hyperscan_regexp_total_length = 5
---->
SELECT multiMatchAny('abcd', ['ab','bc','c','d']) SETTINGS max_hyperscan_regexp_total_length = 5
---->
ALTER USER clickhouse_read SETTINGS max_memory_usage_for_user = 1000
---->
SELECT getSetting('max_memory_usage_for_user')
---->
meanZTest(population_variance_x, population_variance_y, confidence_level)(sample_data, sample_index)
---->
CREATE TABLE mean_ztest (sample_data Float64, sample_index UInt8) ENGINE = Memory
---->
INSERT INTO mean_ztest VALUES (20.3, 0), (21.9, 0), (22.1, 0), (18.9, 1), (19, 1), (20.3, 1)
---->
SELECT meanZTest(0.7, 0.45, 0.95)(sample_data, sample_index) FROM mean_ztest
---->
CREATE TABLE test_table
(
    `id` UInt64,
    `n` UInt64,
    `arr` Array(UInt64)
)
ENGINE = MergeTree
ORDER BY id
SETTINGS index_granularity = 3, min_bytes_for_wide_part = 0, min_rows_for_wide_part = 8
---->
INSERT INTO test_table SELECT number, number, range(number % 5) FROM numbers(5)
---->
INSERT INTO test_table SELECT number, number, range(number % 5) FROM numbers(10, 10)
---->
SELECT * FROM mergeTreeIndex(currentDatabase(), test_table, with_marks = true)
---->
DESCRIBE mergeTreeIndex(currentDatabase(), test_table, with_marks = true) SETTINGS describe_compact_output = 1
---->
mergeTreePartInfo(part_name)
---->
WITH mergeTreePartInfo('all_12_25_7_4') AS info
SELECT info.partition_id, info.min_block, info.max_block, info.level, info.mutation
---->
mergeTreeProjection(database, table, projection)
---->
CREATE TABLE test
(
    `user_id` UInt64,
    `item_id` UInt64,
    PROJECTION order_by_item_id
    (
        SELECT _part_offset
        ORDER BY item_id
    )
)
ENGINE = MergeTree
ORDER BY user_id
---->
INSERT INTO test SELECT number, 100 - number FROM numbers(5)
---->
SELECT *, _part_offset FROM mergeTreeProjection(currentDatabase(), test, order_by_item_id)
---->
DESCRIBE mergeTreeProjection(currentDatabase(), test, order_by_item_id) SETTINGS describe_compact_output = 1
---->
mergeTreeTextIndex(database, table, index_name)
---->
CREATE TABLE tab
(
    id UInt64,
    s String,
    INDEX idx_s (s) TYPE text(tokenizer = splitByNonAlpha)
)
ENGINE = MergeTree
ORDER BY id
---->
INSERT INTO tab SELECT number, concatWithSeparator(' ', 'apple', 'banana') FROM numbers(500)
---->
INSERT INTO tab SELECT 500 + number, concatWithSeparator(' ', 'cherry', 'date') FROM numbers(500)
---->
SELECT * FROM mergeTreeTextIndex(currentDatabase(), tab, idx_s)
---->
SELECT metroHash64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS MetroHash, toTypeName(MetroHash) AS type
---->
SELECT midpoint(1, toUInt8(3), 0.5) AS result, toTypeName(result) AS type
---->
SELECT midpoint(toDecimal32(1.5, 2), toDecimal32(1, 1), 2) AS result, toTypeName(result) AS type
---->
SELECT midpoint(toDate('2025-01-01'), toDate('2025-01-05')) AS result, toTypeName(result) AS type
---->
SELECT midpoint(toDateTime('2025-01-01 00:00:00'), toDateTime('2025-01-03 12:00:00')) AS result, toTypeName(result) AS type
---->
SELECT midpoint(toTime64('12:00:00', 0), toTime64('14:00:00', 0)) AS result, toTypeName(result) AS type
---->
min(column)
---->
SELECT min(salary) FROM employees
---->
SELECT department, min(revenue) FROM sales GROUP BY department ORDER BY department
---->
min2(x, y)
---->
SELECT min2(-1, 2)
---->
SELECT minMappedArrays(a, b)
FROM VALUES('a Array(Int32), b Array(Int64)', ([1, 2], [2, 2]), ([2, 3], [1, 1]))
---->
minSampleSizeContinuous(baseline, sigma, mde, power, alpha)
---->
SELECT minSampleSizeContinuous(112.25, 21.1, 0.03, 0.80, 0.05) AS sample_size
---->
minSampleSizeConversion(baseline, mde, power, alpha)
---->
SELECT minSampleSizeConversion(0.25, 0.03, 0.80, 0.05) AS sample_size
---->
minus(x, y)
---->
SELECT minus(10, 5)
---->
SELECT minus(toDate('2025-01-01'),5)
---->
modulo(a, b)
---->
SELECT modulo(5, 2)
---->
moduloLegacy(a, b)
---->
SELECT moduloLegacy(10, 3)
---->
moduloOrNull(x, y)
---->
SELECT moduloOrNull(5, 0)
---->
SELECT moduloOrNull(toInt8(-128), toInt8(-1))
---->
moduloOrZero(a, b)
---->
SELECT moduloOrZero(5, 0)
---->
SELECT * FROM mongodb(
    '127.0.0.1:27017',
    'test',
    'my_collection',
    'test_user',
    'password',
    'log_type String, host String, command String',
    'connectTimeoutMS=10000'
)
---->
SELECT * FROM mongodb(
    'mongodb://test_user:password@127.0.0.1:27017/test?connectionTimeoutMS=10000',
    'my_collection',
    'log_type String, host String, command String'
)
---->
CREATE NAMED COLLECTION mongo_creds AS
       uri='mongodb://test_user:password@127.0.0.1:27017/test?connectionTimeoutMS=10000',
       collection='default_collection'
---->
SELECT * FROM mongodb(
        mongo_creds,
        collection = 'my_collection',
        structure = 'log_type String, host String, command String'
)
---->
monthName(datetime)
---->
WITH toDateTime('2021-04-14 11:22:33') AS date_value
SELECT monthName(date_value)
---->
SELECT mortonDecode(3, 53)
---->
SELECT mortonDecode(1, 1)
---->
SELECT mortonDecode(tuple(2), 32768)
---->
-- First create the table and insert some data
CREATE TABLE morton_numbers(
    n1 UInt32,
    n2 UInt32,
    n3 UInt16,
    n4 UInt16,
    n5 UInt8,
    n6 UInt8,
    n7 UInt8,
    n8 UInt8
)
ENGINE=MergeTree()
ORDER BY n1
---->
INSERT INTO morton_numbers (*) values(1, 2, 3, 4, 5, 6, 7, 8)
---->
-- Use column names instead of constants as function arguments
SELECT untuple(mortonDecode(8, mortonEncode(n1, n2, n3, n4, n5, n6, n7, n8))) FROM morton_numbers
---->
SELECT mortonEncode(1, 2, 3)
---->
-- Range expansion can be beneficial when you need a similar distribution for
-- arguments with wildly different ranges (or cardinality)
-- For example: 'IP Address' (0...FFFFFFFF) and 'Country code' (0...FF).
-- Note: the Tuple size must be equal to the number of the other arguments.
SELECT mortonEncode((1,2), 1024, 16)
---->
-- Morton encoding for one argument is always the argument itself
SELECT mortonEncode(1)
---->
SELECT mortonEncode(tuple(2), 128)
---->
-- Use column names instead of constants as function arguments
SELECT mortonEncode(n1, n2, n3, n4, n5, n6, n7, n8) FROM morton_numbers
---->
SELECT multiFuzzyMatchAllIndices('ClickHouse', 2, ['ClickHouse', 'ClckHouse', 'ClickHose', 'House'])
---->
SELECT multiFuzzyMatchAny('ClickHouse', 2, ['ClickHouse', 'ClckHouse', 'ClickHose'])
---->
SELECT multiFuzzyMatchAnyIndex('ClickHouse', 2, ['ClckHouse', 'ClickHose', 'ClickHouse'])
---->
SELECT multiIf(number = 2, intDiv(1, number), number = 5) FROM numbers(10)
---->
CREATE TABLE LEFT_RIGHT (left Nullable(UInt8), right Nullable(UInt8)) ENGINE = Memory
---->
INSERT INTO LEFT_RIGHT VALUES (NULL, 4), (1, 3), (2, 2), (3, 1), (4, NULL)
---->
SELECT
    left,
    right,
    multiIf(left < right, 'left is smaller', left > right, 'left is greater', left = right, 'Both equal', 'Null value') AS result
FROM LEFT_RIGHT
---->
SELECT multiMatchAllIndices('ClickHouse', ['[0-9]', 'House', 'Click', 'ouse'])
---->
SELECT multiMatchAny('Hello World', ['Hello.*', 'foo.*'])
---->
SELECT multiMatchAny('Hello World', ['goodbye.*', 'foo.*'])
---->
SELECT multiMatchAnyIndex('ClickHouse', ['[0-9]', 'House', 'Click'])
---->
SELECT multiSearchAllPositions('Hello, World!', ['hello', '!', 'world'])
---->
SELECT multiSearchAllPositionsCaseInsensitive('ClickHouse',['c','h'])
---->
SELECT multiSearchAllPositionsCaseInsensitiveUTF8('Здравствуй, мир!', ['здравствуй', 'МИР'])
---->
SELECT multiSearchAllPositionsUTF8('ClickHouse',['C','H'])
---->
SELECT multiSearchAny('ClickHouse',['C','H'])
---->
SELECT multiSearchAnyCaseInsensitive('ClickHouse',['c','h'])
---->
SELECT multiSearchAnyCaseInsensitiveUTF8('Здравствуйте',['з'])
---->
SELECT multiSearchAnyUTF8('你好，世界', ['你', '界']) AS result
---->
SELECT multiSearchFirstIndex('ClickHouse Database', ['Click', 'Database', 'Server'])
---->
SELECT multiSearchFirstIndex('ClickHouse Database', ['CLICK', 'Database', 'Server'])
---->
SELECT multiSearchFirstIndex('Hello World', ['goodbye', 'test'])
---->
SELECT multiSearchFirstIndexCaseInsensitive('hElLo WoRlD', ['World', 'Hello'])
---->
SELECT multiSearchFirstIndexCaseInsensitiveUTF8('ClickHouse Database', ['CLICK', 'data', 'server'])
---->
SELECT multiSearchFirstIndexCaseInsensitiveUTF8('Привет Мир', ['мир', 'ПРИВЕТ'])
---->
SELECT multiSearchFirstIndexCaseInsensitiveUTF8('Hello World', ['goodbye', 'test'])
---->
SELECT multiSearchFirstIndexUTF8('Здравствуйте мир', ['мир', 'здравствуйте'])
---->
SELECT multiSearchFirstPosition('Hello World',['llo', 'Wor', 'ld'])
---->
SELECT multiSearchFirstPositionCaseInsensitive('HELLO WORLD',['wor', 'ld', 'ello'])
---->
SELECT multiSearchFirstPositionCaseInsensitiveUTF8('Здравствуй, мир', ['МИР', 'вст', 'Здра'])
---->
SELECT multiSearchFirstPositionUTF8('Здравствуй, мир',['мир', 'вст', 'авст'])
---->
multiply(x, y)
---->
SELECT multiply(5,5)
---->
SELECT multiplyDecimal(toDecimal256(-12, 0), toDecimal32(-2.1, 1), 1)
---->
SELECT multiply(toDecimal64(-12.647, 3), toDecimal32(2.1239, 4))
---->
SELECT multiplyDecimal(toDecimal64(-12.647, 3), toDecimal32(2.1239, 4))
---->
SELECT
    toDecimal64(-12.647987876, 9) AS a,
    toDecimal64(123.967645643, 9) AS b,
    multiplyDecimal(a, b)
---->
SELECT
    toDecimal64(-12.647987876, 9) AS a,
    toDecimal64(123.967645643, 9) AS b,
    a * b
---->
SELECT murmurHash2_32(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS MurmurHash2, toTypeName(MurmurHash2) AS type
---->
SELECT murmurHash2_64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS MurmurHash2, toTypeName(MurmurHash2) AS type
---->
SELECT hex(murmurHash3_128('foo', 'foo', 'foo'))
---->
SELECT murmurHash3_32(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS MurmurHash3, toTypeName(MurmurHash3) AS type
---->
SELECT murmurHash3_64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS MurmurHash3, toTypeName(MurmurHash3) AS type
---->
SELECT * FROM mysql('localhost:3306', 'test', (SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0), 'user', 'password')
---->
SELECT * FROM mysql('localhost:3306', 'test', query('SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0'), 'user', 'password')
---->
SELECT name FROM mysql(`mysql{1|2|3}:3306`, 'mysql_database', 'mysql_table', 'user', 'password')
---->
SELECT name FROM mysql(`mysql1:3306|mysql2:3306|mysql3:3306`, 'mysql_database', 'mysql_table', 'user', 'password')
---->
SELECT * FROM mysql('localhost:3306', 'test', 'test', 'bayonet', '123')
---->
SELECT * FROM mysql(creds, table='test')
---->
SELECT *
FROM mysql(
    'mysql80:3306',
    'clickhouse',
    'test_table',
    'root',
    'password',
    SETTINGS enable_compression = 1
)
---->
INSERT INTO FUNCTION mysql('localhost:3306', 'test', 'test', 'bayonet', '123', 1) (int_id, float) VALUES (1, 3)
---->
INSERT INTO TABLE FUNCTION mysql('localhost:3306', 'test', 'test', 'bayonet', '123', 0, 'UPDATE int_id = int_id + 1') (int_id, float) VALUES (1, 4)
---->
CREATE TABLE mysql_copy
(
   `id` UInt64,
   `datetime` DateTime('UTC'),
   `description` String,
)
ENGINE = MergeTree
ORDER BY (id,datetime)
---->
INSERT INTO mysql_copy
SELECT * FROM mysql('host:port', 'database', 'table', 'user', 'password')
---->
INSERT INTO mysql_copy
SELECT * FROM mysql('host:port', 'database', 'table', 'user', 'password')
WHERE id > (SELECT max(id) FROM mysql_copy)
---->
naiveBayesClassifier(dictionary_name, input_text)
---->
SELECT naiveBayesClassifier('model', 'some text')
---->
naiveBayesClassifierWithAllProbs(dictionary_name, input_text)
---->
SELECT naiveBayesClassifierWithAllProbs('model', 'some text')
---->
naiveBayesClassifierWithProb(dictionary_name, input_text)
---->
SELECT naiveBayesClassifierWithProb('model', 'some text')
---->
SELECT naiveBayesNgrams('the cat sat', 2, 'token')
---->
SELECT naiveBayesNgrams('cat', 2, 'token', '<s>', '</s>')
---->
SELECT arrayMap(x -> hex(x), naiveBayesNgrams('xy', 2, 'byte', '0x01', '0xFF'))
---->
SELECT arrayMap(x -> hex(x), naiveBayesNgrams('ab', 2, 'codepoint', '0x10FFFE', '0x10FFFF'))
---->
naturalSortKey(s)
---->
SELECT s FROM t ORDER BY naturalSortKey(s)
---->
negate(x)
---->
SELECT negate(10)
---->
SELECT number, neighbor(number, 2) FROM system.numbers LIMIT 10
---->
SELECT number, neighbor(number, 2, 999) FROM system.numbers LIMIT 10
---->
netloc(url)
---->
SELECT netloc('http://paul@www.example.com:80/')
---->
ngramDistance(haystack, needle)
---->
SELECT ngramDistance('ClickHouse', 'ClickHouses')
---->
ngramDistanceCaseInsensitive(haystack, needle)
---->
SELECT ngramDistanceCaseInsensitive('ClickHouse','clickhouse')
---->
ngramDistanceCaseInsensitiveUTF8(haystack, needle)
---->
SELECT ngramDistanceCaseInsensitiveUTF8('abcde','CDE')
---->
ngramDistanceUTF8(haystack, needle)
---->
SELECT ngramDistanceUTF8('abcde','cde')
---->
SELECT ngramMinHash('ClickHouse') AS Tuple
---->
SELECT ngramMinHashArg('ClickHouse') AS Tuple
---->
SELECT ngramMinHashArgCaseInsensitive('ClickHouse') AS Tuple
---->
SELECT ngramMinHashArgCaseInsensitiveUTF8('ClickHouse') AS Tuple
---->
SELECT ngramMinHashArgUTF8('ClickHouse') AS Tuple
---->
SELECT ngramMinHashCaseInsensitive('ClickHouse') AS Tuple
---->
SELECT ngramMinHashCaseInsensitiveUTF8('ClickHouse') AS Tuple
---->
SELECT ngramMinHashUTF8('ClickHouse') AS Tuple
---->
ngramSearch(haystack, needle)
---->
SELECT ngramSearch('ClickHouse', 'Click')
---->
ngramSearchCaseInsensitive(haystack, needle)
---->
SELECT ngramSearchCaseInsensitive('Hello World','hello')
---->
ngramSearchCaseInsensitiveUTF8(haystack, needle)
---->
SELECT ngramSearchCaseInsensitiveUTF8('абвГДЕёжз', 'АбвгдЕЁжз')
---->
ngramSearchUTF8(haystack, needle)
---->
SELECT ngramSearchUTF8('абвгдеёжз', 'гдеёзд')
---->
SELECT ngramSimHash('ClickHouse') AS Hash
---->
SELECT ngramSimHashCaseInsensitive('ClickHouse') AS Hash
---->
SELECT ngramSimHashCaseInsensitiveUTF8('ClickHouse') AS Hash
---->
SELECT ngramSimHashUTF8('ClickHouse') AS Hash
---->
ngrams(s, N)
---->
SELECT ngrams('ClickHouse', 3)
---->
CREATE TABLE sensor_readings
(
    `sensor_id` UInt32,
    `ts`        DateTime,
    `reading`   Float64
)
ENGINE = Memory
---->
INSERT INTO sensor_readings VALUES
    (1, '2024-01-01 00:00:00', 100),
    (1, '2024-01-01 00:00:10', 110),
    (1, '2024-01-01 00:00:20', 105),
    (1, '2024-01-01 00:00:30', 130)
---->
SELECT
    ts,
    reading,
    nonNegativeDerivative(reading, ts) OVER (ORDER BY ts ASC) AS deriv_per_second
FROM sensor_readings
ORDER BY ts ASC
---->
normalizeQuery(x)
---->
SELECT normalizeQuery('[1, 2, 3, x]') AS query
---->
normalizeQueryKeepNames(x)
---->
SELECT normalizeQuery('SELECT 1 AS aComplexName123'), normalizeQueryKeepNames('SELECT 1 AS aComplexName123')
---->
normalizeUTF8NFC(str)
---->
SELECT
'é' AS original, -- e + combining acute accent (U+0065 + U+0301)
length(original),
normalizeUTF8NFC('é') AS nfc_normalized, -- é (U+00E9)
length(nfc_normalized)
---->
normalizeUTF8NFD(str)
---->
SELECT
    'é' AS original, -- é (U+00E9)
    length(original),
    normalizeUTF8NFD('é') AS nfd_normalized, -- e + combining acute (U+0065 + U+0301)
    length(nfd_normalized)
---->
normalizeUTF8NFKC(str)
---->
SELECT
    '① ② ③' AS original,                           -- Circled number characters
    normalizeUTF8NFKC('① ② ③') AS nfkc_normalized  -- Converts to 1 2 3
---->
normalizeUTF8NFKCCasefold(str)
---->
SELECT
    'Ä ① Hello' AS original,
    normalizeUTF8NFKCCasefold('Ä ① Hello') AS nfkc_cf_normalized
---->
normalizeUTF8NFKD(str)
---->
SELECT
    'H₂O²' AS original,                           -- H + subscript 2 + O + superscript 2
    normalizeUTF8NFKD('H₂O²') AS nfkd_normalized  -- Converts to H 2 O 2
---->
normalizedQueryHash(x)
---->
SELECT normalizedQueryHash('SELECT 1 AS `xyz`') != normalizedQueryHash('SELECT 1 AS `abc`') AS res
---->
normalizedQueryHashKeepNames(x)
---->
SELECT normalizedQueryHash('SELECT 1 AS `xyz123`') != normalizedQueryHash('SELECT 1 AS `abc123`') AS normalizedQueryHash
---->
SELECT normalizedQueryHashKeepNames('SELECT 1 AS `xyz123`') != normalizedQueryHashKeepNames('SELECT 1 AS `abc123`') AS normalizedQueryHashKeepNames
---->
not(val)
---->
SELECT NOT(1)
---->
notEmpty(arr)
---->
SELECT notEmpty([1,2])
---->
notEquals(a, b)
    -- a != b
    -- a <> b
---->
SELECT 1 != 2, 1 != 1
---->
SELECT notILike('ClickHouse', '%house%')
---->
notIn(x, set)
---->
SELECT notLike('ClickHouse', '%House%')
---->
SELECT notLike('ClickHouse', '%SQL%')
---->
notNullIn(x, set)
---->
now([timezone])
---->
SELECT now()
---->
SELECT now('Asia/Istanbul')
---->
SELECT NOW, CURRENT_TIMESTAMP
---->
SELECT now64(), now64(9, 'Asia/Istanbul')
---->
nowInBlock([timezone])
---->
SELECT
    now(),
    nowInBlock(),
    sleep(1)
FROM numbers(3)
SETTINGS max_block_size = 1
FORMAT PrettyCompactMonoBlock
---->
SELECT
    now64(),
    nowInBlock64(),
    sleep(1)
FROM numbers(3)
SETTINGS max_block_size = 1
FORMAT PrettyCompactMonoBlock
---->
DROP TABLE IF EXISTS salaries
---->
INSERT INTO salaries FORMAT Values
    ('Port Elizabeth Barbarians', 'Gary Chen', 195000, 'F'),
    ('New Coreystad Archdukes', 'Charles Juarez', 190000, 'F'),
    ('Port Elizabeth Barbarians', 'Michael Stanley', 100000, 'D'),
    ('New Coreystad Archdukes', 'Scott Harrison', 180000, 'D'),
    ('Port Elizabeth Barbarians', 'Robert George', 195000, 'M'),
    ('South Hampton Seagulls', 'Douglas Benson', 150000, 'M'),
    ('South Hampton Seagulls', 'James Henderson', 140000, 'M')
---->
SELECT player, salary, nth_value(player,3) OVER(ORDER BY salary DESC) AS third_highest_salary FROM salaries
---->
SELECT player, salary,
       ntile(4) OVER (ORDER BY salary DESC, player ASC) AS bucket
FROM salaries
---->
INSERT INTO function null('x UInt64') SELECT * FROM numbers_mt(1000000000)
---->
CREATE TABLE t (x UInt64) ENGINE = Null
---->
INSERT INTO t SELECT * FROM numbers_mt(1000000000)
---->
DROP TABLE IF EXISTS t
---->
nullIf(x, y)
---->
SELECT nullIf(1, 1), nullIf(1, 2)
---->
nullIn(x, set)
---->
SELECT * FROM numbers(10)
---->
SELECT * FROM numbers(0, 10)
---->
SELECT * FROM numbers() LIMIT 10
---->
SELECT * FROM system.numbers LIMIT 10
---->
SELECT * FROM system.numbers WHERE number BETWEEN 0 AND 9
---->
SELECT * FROM system.numbers WHERE number IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
---->
SELECT * FROM numbers(10, 10)
---->
SELECT * FROM numbers() LIMIT 10 OFFSET 10
---->
SELECT * FROM system.numbers LIMIT 10 OFFSET 10
---->
SELECT number * 2 FROM numbers(10)
---->
SELECT (number - 10) * 2 FROM numbers(10, 10)
---->
SELECT * FROM numbers(0, 20, 2)
---->
SELECT toDate('2010-01-01') + number AS d FROM numbers(365)
---->
SELECT number
FROM numbers()
WHERE number >= 1e15
  AND bitAnd(sipHash64(number), 0xFFFFF) = 0
LIMIT 1
---->
SELECT * FROM numbers_mt(10) ORDER BY number
---->
SELECT count() FROM numbers_mt(1000000000)
---->
SELECT * FROM numbers_mt() LIMIT 10
---->
numericIndexedVectorAllValueSum(v)
---->
SELECT numericIndexedVectorAllValueSum(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30]))) AS res
---->
numericIndexedVectorBuild(map)
---->
SELECT numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30])) AS res, toTypeName(res)
---->
numericIndexedVectorCardinality(v)
---->
SELECT numericIndexedVectorCardinality(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30]))) AS res
---->
numericIndexedVectorGetValue(v, i)
---->
SELECT numericIndexedVectorGetValue(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30])), 3) AS res
---->
numericIndexedVectorPointwiseAdd(v1, v2)
---->
WITH
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseAdd(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseAdd(vec1, 2)) AS res2
---->
numericIndexedVectorPointwiseDivide(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseDivide(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseDivide(vec1, 2)) AS res2
---->
numericIndexedVectorPointwiseEqual(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseEqual(vec1, 20)) AS res2
---->
numericIndexedVectorPointwiseGreater(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 50]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreater(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreater(vec1, 20)) AS res2
---->
numericIndexedVectorPointwiseGreaterEqual(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 50]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreaterEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreaterEqual(vec1, 20)) AS res2
---->
numericIndexedVectorPointwiseLess(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLess(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLess(vec1, 20)) AS res2
---->
numericIndexedVectorPointwiseLessEqual(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLessEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLessEqual(vec1, 20)) AS res2
---->
numericIndexedVectorPointwiseMultiply(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toInt32(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toInt32(x), [10, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseMultiply(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseMultiply(vec1, 2)) AS res2
---->
numericIndexedVectorPointwiseNotEqual(v1, v2)
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseNotEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseNotEqual(vec1, 20)) AS res2
---->
numericIndexedVectorPointwiseSubtract(v1, v2)
---->
WITH
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseSubtract(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseSubtract(vec1, 2)) AS res2
---->
numericIndexedVectorShortDebugString(v)
---->
numericIndexedVectorToMap(v)
---->
SELECT numericIndexedVectorToMap(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30]))) AS res
---->
SELECT obfuscateQuery('SELECT name, age FROM users WHERE age > 30')
---->
SELECT obfuscateQuery('SELECT * FROM t', 1), obfuscateQuery('SELECT * FROM t', 2)
---->
SELECT obfuscateQuery('SELECT 1') AS a, obfuscateQuery('SELECT 1') AS b
---->
obfuscateQueryWithSeed(query, seed)
---->
SELECT obfuscateQueryWithSeed('SELECT name FROM users', 42)
---->
SELECT obfuscateQueryWithSeed('SELECT id, value FROM data', 'myseed')
---->
SELECT obfuscateQueryWithSeed('SELECT 1', 100) = obfuscateQueryWithSeed('SELECT 1', 100)
---->
disk(type = object_storage, object_storage_type = s3, metadata_type = local, endpoint = '...')
---->
SELECT * FROM odbc('DSN=mysqlconn', 'test', 'test')
---->
CREATE TABLE test (i UInt64) ENGINE = MergeTree() ORDER BY i
---->
INSERT INTO test SELECT number FROM numbers(500)
---->
SET limit = 5
---->
SET offset = 7
---->
SELECT * FROM test LIMIT 10 OFFSET 100
---->
SET optimize_on_insert = 1
---->
CREATE TABLE test1 (`FirstTable` UInt32) ENGINE = ReplacingMergeTree ORDER BY FirstTable
---->
INSERT INTO test1 SELECT number % 2 FROM numbers(5)
---->
SELECT * FROM test1
---->
SET optimize_on_insert = 0
---->
CREATE TABLE test2 (`SecondTable` UInt32) ENGINE = ReplacingMergeTree ORDER BY SecondTable
---->
INSERT INTO test2 SELECT number % 2 FROM numbers(5)
---->
SELECT * FROM test2
---->
CREATE TABLE fuse_tbl(a Int8, b Int8) Engine = Log
---->
SET optimize_syntax_fuse_functions = 1
---->
EXPLAIN SYNTAX run_query_tree_passes = 1 SELECT sum(a), sum(b), count(b), avg(b) from fuse_tbl FORMAT TSV
---->
SELECT or(1, 0, 0, 2, NULL)
---->
SELECT or(0, NULL)
---->
SELECT * FROM oss(url, access_key_id, secret_access_key)
---->
SET output_format_json_array_of_rows = 1
---->
SELECT number FROM numbers(3) FORMAT JSONEachRow
---->
SET output_format_json_array_of_rows = 0
---->
SELECT area/period FROM account_orders FORMAT JSON
---->
SELECT *, toTypeName(*) FROM (SELECT * FROM system.numbers LIMIT 1000)
---->
SELECT overlay('My father is from Mexico.', 'mother', 4) AS res
---->
SELECT overlay('My father is from Mexico.', 'dad', 4, 6) AS res
---->
SELECT overlayUTF8('Mein Vater ist aus Österreich.', 'der Türkei', 20) AS res
---->
SELECT * FROM paimonAzure(url, access_key_id, secret_access_key)
---->
SELECT * FROM paimonHDFS(url)
---->
SELECT * FROM paimonHDFSCluster(cluster, uri, [format], [structure], [compression_method])
---->
SELECT * FROM paimonLocal(filename)
---->
SELECT * FROM paimonS3(url, access_key_id, secret_access_key)
---->
SELECT parseDateTime('2025-01-04+23:00:00', '%Y-%m-%d+%H:%i:%s')
---->
SELECT parseDateTime32BestEffort('23/10/2025 12:12:57')
AS parseDateTime32BestEffort
---->
SELECT parseDateTime32BestEffort('Sat, 18 Aug 2025 07:22:16 GMT', 'Asia/Istanbul')
AS parseDateTime32BestEffort
---->
SELECT parseDateTime32BestEffort('1284101485')
AS parseDateTime32BestEffort
---->
SELECT
    parseDateTime32BestEffortOrNull('23/10/2025 12:12:57') AS valid,
    parseDateTime32BestEffortOrNull('invalid date') AS invalid
---->
SELECT
    parseDateTime32BestEffortOrZero('23/10/2025 12:12:57') AS valid,
    parseDateTime32BestEffortOrZero('invalid date') AS invalid
---->
SELECT parseDateTime64('2025-01-04 23:00:00.123', '%Y-%m-%d %H:%i:%s.%f')
---->
SELECT parseDateTime64BestEffort('2025-01-01') AS a, toTypeName(a) AS t
UNION ALL
SELECT parseDateTime64BestEffort('2025-01-01 01:01:00.12346') AS a, toTypeName(a) AS t
UNION ALL
SELECT parseDateTime64BestEffort('2025-01-01 01:01:00.12346',6) AS a, toTypeName(a) AS t
UNION ALL
SELECT parseDateTime64BestEffort('2025-01-01 01:01:00.12346',3,'Asia/Istanbul') AS a, toTypeName(a) AS t
FORMAT PrettyCompactMonoBlock
---->
SELECT parseDateTime64BestEffortOrNull('2025-01-01 01:01:00.123') AS valid,
       parseDateTime64BestEffortOrNull('invalid') AS invalid
---->
SELECT parseDateTime64BestEffortOrZero('2025-01-01 01:01:00.123') AS valid,
       parseDateTime64BestEffortOrZero('invalid') AS invalid
---->
SELECT parseDateTime64BestEffortUS('02/10/2025 12:30:45.123') AS us_format,
       parseDateTime64BestEffortUS('15/08/2025 10:15:30.456') AS fallback_to_standard
---->
SELECT parseDateTime64BestEffortUSOrNull('02/10/2025 12:30:45.123') AS valid_us,
       parseDateTime64BestEffortUSOrNull('invalid') AS invalid
---->
SELECT parseDateTime64BestEffortUSOrZero('02/10/2025 12:30:45.123') AS valid_us,
       parseDateTime64BestEffortUSOrZero('invalid') AS invalid
---->
SELECT parseDateTime64InJodaSyntax('2025-01-04 23:00:00.123', 'yyyy-MM-dd HH:mm:ss.SSS')
---->
SELECT parseDateTime64InJodaSyntaxOrNull('2025-01-04 23:00:00.123', 'yyyy-MM-dd HH:mm:ss.SSS')
---->
SELECT parseDateTime64InJodaSyntaxOrZero('2025-01-04 23:00:00.123', 'yyyy-MM-dd HH:mm:ss.SSS')
---->
SELECT parseDateTime64OrNull('2025-01-04 23:00:00.123', '%Y-%m-%d %H:%i:%s.%f')
---->
SELECT parseDateTime64OrZero('2025-01-04 23:00:00.123', '%Y-%m-%d %H:%i:%s.%f')
---->
SELECT parseDateTimeBestEffort('23/10/2025 12:12:57') AS parseDateTimeBestEffort
---->
SELECT parseDateTimeBestEffort('Sat, 18 Aug 2025 07:22:16 GMT', 'Asia/Istanbul') AS parseDateTimeBestEffort
---->
SELECT parseDateTimeBestEffort('1735689600') AS parseDateTimeBestEffort
---->
SELECT parseDateTimeBestEffortOrNull('23/10/2025 12:12:57') AS valid,
       parseDateTimeBestEffortOrNull('invalid') AS invalid
---->
SELECT parseDateTimeBestEffortOrZero('23/10/2025 12:12:57') AS valid,
       parseDateTimeBestEffortOrZero('invalid') AS invalid
---->
SELECT parseDateTimeBestEffortUS('02/10/2025') AS us_format,
       parseDateTimeBestEffortUS('15/08/2025') AS fallback_to_standard
---->
SELECT parseDateTimeBestEffortUSOrNull('02/10/2025') AS valid_us,
       parseDateTimeBestEffortUSOrNull('invalid') AS invalid
---->
SELECT parseDateTimeBestEffortUSOrZero('02/10/2025') AS valid_us,
       parseDateTimeBestEffortUSOrZero('invalid') AS invalid
---->
SELECT parseDateTimeInJodaSyntax('2025-01-04 23:00:00', 'yyyy-MM-dd HH:mm:ss')
---->
SELECT parseDateTimeInJodaSyntaxOrNull('2025-01-04 23:00:00', 'yyyy-MM-dd HH:mm:ss')
---->
SELECT parseDateTimeInJodaSyntaxOrZero('2025-01-04 23:00:00', 'yyyy-MM-dd HH:mm:ss')
---->
SELECT parseDateTimeOrNull('2025-01-04+23:00:00', '%Y-%m-%d+%H:%i:%s')
---->
SELECT parseDateTimeOrZero('2025-01-04+23:00:00', '%Y-%m-%d+%H:%i:%s')
---->
parseReadableSize(x)
---->
SELECT arrayJoin(['1 B', '1 KiB', '3 MB', '5.314 KiB']) AS readable_sizes, parseReadableSize(readable_sizes) AS sizes
---->
parseReadableSizeOrNull(x)
---->
SELECT arrayJoin(['1 B', '1 KiB', '3 MB', '5.314 KiB', 'invalid']) AS readable_sizes, parseReadableSizeOrNull(readable_sizes) AS sizes
---->
parseReadableSizeOrZero(x)
---->
SELECT arrayJoin(['1 B', '1 KiB', '3 MB', '5.314 KiB', 'invalid']) AS readable_sizes, parseReadableSizeOrZero(readable_sizes) AS sizes
---->
parseTimeDelta(timestr)
---->
SELECT parseTimeDelta('11s+22min')
---->
SELECT parseTimeDelta('1yr2mo')
---->
DROP TABLE IF EXISTS tab
---->
CREATE TABLE tab
(
  i int,
  j int
)
ENGINE = MergeTree
PARTITION BY i
ORDER BY tuple()
---->
INSERT INTO tab VALUES (1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6)
---->
SELECT i, j, partitionId(i), _partition_id FROM tab ORDER BY i, j
---->
path(url)
---->
SELECT path('https://clickhouse.com/docs/sql-reference/functions/url-functions/?query=value')
---->
pathFull(url)
---->
SELECT pathFull('https://clickhouse.com/docs/sql-reference/functions/url-functions/?query=value#section')
---->
SELECT player, salary,
       percent_rank() OVER (ORDER BY salary DESC) AS percent_rank
FROM salaries
---->
perimeterCartesian(object)
---->
perimeterSpherical(object)
---->
pi()
---->
SELECT pi()
---->
plus(x, y)
---->
SELECT plus(5,5)
---->
SELECT plus(toDate('2025-01-01'),5)
---->
SELECT toDate('2025-01-01') + CAST('14:30:25', 'Time')
---->
SELECT pointInEllipses(10., 10., 10., 9.1, 1., 0.9999)
---->
SELECT pointInPolygon((3., 3.), [(6, 0), (8, 4), (5, 8), (0, 2)]) AS res
---->
CREATE TABLE poly (id UInt32, shape Polygon) ENGINE = Memory
---->
INSERT INTO poly VALUES (1, [[(0, 0), (10, 0), (10, 10), (0, 10)], [(4, 4), (6, 4), (6, 6), (4, 6)]])
---->
SELECT id, pointInPolygon((2., 2.), shape) AS res FROM poly
---->
LAYOUT(POLYGON())
---->
polygonAreaCartesian(polygon)
---->
SELECT polygonAreaCartesian([[[(0., 0.), (0., 5.), (5., 5.), (5., 0.)]]])
---->
polygonAreaSpherical(polygon)
---->
SELECT round(polygonAreaSpherical([[[(4.346693, 50.858306), (4.367945, 50.852455), (4.366227, 50.840809), (4.344961, 50.833264), (4.338074, 50.848677), (4.346693, 50.858306)]]]), 14)
---->
polygonConvexHullCartesian(multipolygon)
---->
SELECT wkt(polygonConvexHullCartesian([[[(0., 0.), (0., 5.), (5., 5.), (5., 0.), (2., 3.)]]]))
---->
polygonPerimeterCartesian(polygon)
---->
SELECT polygonPerimeterCartesian([[[(0., 0.), (0., 5.), (5., 5.), (5., 0.)]]])
---->
polygonPerimeterSpherical(polygon)
---->
SELECT round(polygonPerimeterSpherical([[[(4.346693, 50.858306), (4.367945, 50.852455), (4.366227, 50.840809), (4.344961, 50.833264), (4.338074, 50.848677), (4.346693, 50.858306)]]]), 6)
---->
LAYOUT(POLYGON_INDEX_CELL())
---->
LAYOUT(POLYGON_INDEX_EACH())
---->
LAYOUT(POLYGON_SIMPLE())
---->
polygonsDistanceCartesian(polygon1, polygon2)
---->
SELECT polygonsDistanceCartesian([[[(0, 0), (0, 0.1), (0.1, 0.1), (0.1, 0)]]], [[[(10., 10.), (10., 40.), (40., 40.), (40., 10.), (10., 10.)]]])
---->
polygonsDistanceSpherical(polygon1, polygon2)
---->
SELECT polygonsDistanceSpherical([[[(0, 0), (0, 0.1), (0.1, 0.1), (0.1, 0)]]], [[[(10., 10.), (10., 40.), (40., 40.), (40., 10.), (10., 10.)]]])
---->
polygonsEqualsCartesian(polygon1, polygon2)
---->
SELECT polygonsEqualsCartesian([[[(1., 1.), (1., 4.), (4., 4.), (4., 1.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
---->
polygonsIntersectCartesian(polygon1, polygon2)
---->
SELECT polygonsIntersectCartesian([[[(2., 2.), (2., 3.), (3., 3.), (3., 2.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
---->
polygonsIntersectSpherical(polygon1, polygon2)
---->
SELECT polygonsIntersectSpherical([[[(2., 2.), (2., 3.), (3., 3.), (3., 2.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
---->
polygonsIntersectionCartesian(polygon1, polygon2)
---->
SELECT wkt(polygonsIntersectionCartesian([[[(0., 0.), (0., 3.), (1., 2.9), (2., 2.6), (2.6, 2.), (2.9, 1.), (3., 0.), (0., 0.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]]))
---->
polygonsIntersectionSpherical(polygon1, polygon2)
---->
polygonsSymDifferenceCartesian(polygon1, polygon2)
---->
SELECT wkt(polygonsSymDifferenceCartesian([[[(0, 0), (0, 3), (1, 2.9), (2, 2.6), (2.6, 2), (2.9, 1), (3, 0), (0, 0)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]]))
---->
polygonsSymDifferenceSpherical(polygon1, polygon2)
---->
SELECT wkt(arraySort(polygonsSymDifferenceSpherical([[(50., 50.), (50., -50.), (-50., -50.), (-50., 50.), (50., 50.)], [(10., 10.), (10., 40.), (40., 40.), (40., 10.), (10., 10.)], [(-10., -10.), (-10., -40.), (-40., -40.), (-40., -10.), (-10., -10.)]], [[(-20., -20.), (-20., 20.), (20., 20.), (20., -20.), (-20., -20.)]])))
---->
polygonsUnionCartesian(polygon1, polygon2)
---->
SELECT wkt(polygonsUnionCartesian([[[(0., 0.), (0., 3.), (1., 2.9), (2., 2.6), (2.6, 2.), (2.9, 1), (3., 0.), (0., 0.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]]))
---->
polygonsUnionSpherical(polygon1, polygon2)
---->
SELECT wkt(polygonsUnionSpherical([[[(4.3613577, 50.8651821), (4.349556, 50.8535879), (4.3602419, 50.8435626), (4.3830299, 50.8428851), (4.3904543, 50.8564867), (4.3613148, 50.8651279)]]], [[[(4.346693, 50.858306), (4.367945, 50.852455), (4.366227, 50.840809), (4.344961, 50.833264), (4.338074, 50.848677), (4.346693, 50.858306)]]]))
---->
polygonsWithinCartesian(polygon1, polygon2)
---->
SELECT polygonsWithinCartesian([[[(2., 2.), (2., 3.), (3., 3.), (3., 2.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
---->
polygonsWithinSpherical(polygon1, polygon2)
---->
SELECT polygonsWithinSpherical([[[(4.3613577, 50.8651821), (4.349556, 50.8535879), (4.3602419, 50.8435626), (4.3830299, 50.8428851), (4.3904543, 50.8564867), (4.3613148, 50.8651279)]]], [[[(4.346693, 50.858306), (4.367945, 50.852455), (4.366227, 50.840809), (4.344961, 50.833264), (4.338074, 50.848677), (4.346693, 50.858306)]]])
---->
SELECT port('https://clickhouse.com:8443/docs'), port('https://clickhouse.com/docs', 443)
---->
SELECT port('http://user:password@example.com:8080/'), portRFC('http://user:password@example.com:8080/')
---->
SELECT position('Hello, world!', '!')
---->
SELECT position('Hello, world!', 'o', 1), position('Hello, world!', 'o', 7)
---->
SELECT 6 = position('/' IN s) FROM (SELECT 'Hello/World' AS s)
---->
SELECT position('abc', ''), position('abc', '', 0), position('abc', '', 1), position('abc', '', 2), position('abc', '', 3), position('abc', '', 4), position('abc', '', 5)
---->
SELECT positionCaseInsensitive('Hello, world!', 'hello')
---->
SELECT positionCaseInsensitiveUTF8('Привет мир', 'МИР')
---->
SELECT positionUTF8('Motörhead', 'r')
---->
positiveModulo(x, y)
---->
SELECT positiveModulo(-1, 10)
---->
positiveModuloOrNull(x, y)
---->
SELECT positiveModuloOrNull(5, 0)
---->
SELECT positiveModuloOrNull(toInt8(-128), toInt8(-1))
---->
SELECT * FROM postgresql('localhost:5432', 'test', 'test', 'postgresql_user', 'password', SETTINGS postgresql_connection_pool_size = 32)
---->
SELECT * FROM postgresql('localhost:5432', 'test', (SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0), 'user', 'password')
---->
SELECT * FROM postgresql('localhost:5432', 'test', query('SELECT a, b FROM t1 JOIN t2 USING (id) WHERE a > 0'), 'user', 'password')
---->
SELECT name FROM postgresql(`postgres{1|2|3}:5432`, 'postgres_database', 'postgres_table', 'user', 'password')
---->
SELECT name FROM postgresql(`postgres1:5431|postgres2:5432`, 'postgres_database', 'postgres_table', 'user', 'password')
---->
SELECT * FROM postgresql('localhost:5432', 'test', 'test', 'postgresql_user', 'password') WHERE str IN ('test')
---->
CREATE NAMED COLLECTION mypg AS
        host = 'localhost',
        port = 5432,
        database = 'test',
        user = 'postgresql_user',
        password = 'password'
---->
SELECT * FROM postgresql(mypg, table='test') WHERE str IN ('test')
---->
INSERT INTO TABLE FUNCTION postgresql('localhost:5432', 'test', 'test', 'postgrsql_user', 'password') (int_id, float) VALUES (2, 3)
---->
SELECT * FROM postgresql('localhost:5432', 'test', 'test', 'postgresql_user', 'password')
---->
pow(x, y)
---->
SELECT pow(2, 3)
---->
SET prefer_column_name_to_alias = 0
---->
SELECT avg(number) AS number, max(number) FROM numbers(10)
---->
SET prefer_column_name_to_alias = 1
---->
SELECT prettyPrintJSON('{"a":1,"b":"hello"}')
---->
SELECT prettyPrintJSON('{"a":1}', 8)
---->
SELECT * FROM primes(10)
---->
SELECT * FROM primes(0, 10)
---->
SELECT * FROM primes() LIMIT 10
---->
SELECT * FROM system.primes LIMIT 10
---->
SELECT * FROM system.primes WHERE prime IN (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)
---->
SELECT * FROM primes(10, 10)
---->
SELECT * FROM primes() LIMIT 10 OFFSET 10
---->
SELECT * FROM system.primes LIMIT 10 OFFSET 10
---->
SELECT prime FROM primes() WHERE prime > 1e15 LIMIT 1
---->
SELECT prime
FROM primes()
WHERE prime >= 1e15
  AND prime % 65537 = 1
LIMIT 1
---->
SELECT prime
FROM primes()
WHERE bitAnd(prime, prime + 1) = 0
LIMIT 7
---->
SELECT sum(prime)
FROM primes()
WHERE prime BETWEEN 1e6 AND 1e6 + 100
   OR prime BETWEEN 1e12 AND 1e12 + 100
   OR prime BETWEEN 1e15 AND 1e15 + 100
   OR prime IN (9999999967, 9999999971, 9999999973)
   OR prime = 1000000000000037
---->
CREATE TABLE test (a Tuple(b String, c Tuple(d Nullable(UInt64), e Array(UInt32), f Array(Tuple(g String, h Map(String, Array(Tuple(i String, j UInt64))))), k Date), l Nullable(String))) ENGINE=Memory
---->
DESCRIBE TABLE test FORMAT TSVRaw SETTINGS print_pretty_type_names=1
---->
SELECT printf('%%%s %s %d', 'Hello', 'World', 2024)
---->
SELECT * FROM prometheusQuery(mytable, 'rate(http_requests{job="prometheus"}[10m])[1h:10m]', now())
---->
SELECT * FROM prometheusQueryRange(mytable, 'rate(http_requests{job="prometheus"}[10m])[1h:10m]', now() - INTERVAL 10 MINUTES, now(), INTERVAL 1 MINUTE)
---->
proportionsZTest(successes_x, successes_y, trials_x, trials_y, conf_level, pool_type)
---->
SELECT proportionsZTest(10, 11, 100, 101, 0.95, 'unpooled')
---->
protocol(url)
---->
SELECT protocol('https://clickhouse.com/')
---->
quantile(level)(expr)
---->
CREATE TABLE t (val UInt32) ENGINE = Memory
---->
SELECT quantile(val) FROM t
---->
CREATE TABLE example_table (a UInt32, b Float32) ENGINE = Memory
---->
INSERT INTO example_table VALUES (1, 1.001), (2, 1.002), (3, 1.003), (4, 1.004)
---->
SELECT quantileBFloat16(0.75)(a), quantileBFloat16(0.75)(b) FROM example_table
---->
quantileBFloat16Weighted(level)(expr, weight)
---->
CREATE TABLE example_table (a UInt32, b Float32, w UInt32) ENGINE = Memory
---->
INSERT INTO example_table VALUES (1, 1.001, 1), (2, 1.002, 2), (3, 1.003, 3), (4, 1.004, 4)
---->
SELECT quantileBFloat16Weighted(0.75)(a, w), quantileBFloat16Weighted(0.75)(b, w) FROM example_table
---->
quantileDD(relative_accuracy, [level])(expr)
---->
SELECT quantileDD(0.01, 0.75)(a), quantileDD(0.01, 0.75)(b) FROM example_table
---->
quantileDeterministic(level)(expr, determinator)
---->
SELECT quantileDeterministic(val, 1) FROM t
---->
quantileExact(level)(expr)
---->
SELECT quantileExact(number) FROM numbers(10)
---->
quantileExactExclusive(level)(expr)
---->
SELECT quantileExactExclusive(0.25)(number) FROM numbers(5)
---->
SELECT quantileExactExclusive(0.1)(number), quantileExactExclusive(0.9)(number) FROM numbers(10)
---->
quantileExactHigh(level)(expr)
---->
SELECT quantileExactHigh(number) FROM numbers(10)
---->
SELECT quantileExactHigh(0.1)(number) FROM numbers(10)
---->
quantileExactInclusive(level)(expr)
---->
SELECT quantileExactInclusive(0.25)(number) FROM numbers(5)
---->
SELECT quantileExactInclusive(0.1)(number), quantileExactInclusive(0.9)(number) FROM numbers(10)
---->
quantileExactLow(level)(expr)
---->
SELECT quantileExactLow(number) FROM numbers(10)
---->
SELECT quantileExactLow(0.1)(number) FROM numbers(10)
---->
quantileExactWeighted(level)(expr, weight)
---->
CREATE TABLE t (
    n Int32,
    val Int32
) ENGINE = Memory
---->
-- Insert the sample data
INSERT INTO t VALUES
(0, 3),
(1, 2),
(2, 1),
(5, 4)
---->
SELECT quantileExactWeighted(n, val) FROM t
---->
quantileExactWeightedInterpolated(level)(expr, weight)
---->
SELECT quantileExactWeightedInterpolated(n, val) FROM t
---->
SELECT
    quantileExactWeightedInterpolated(0.99)(number, 1),
    quantile(0.99)(number),
    quantileInterpolatedWeighted(0.99)(number, 1)
FROM numbers(9)
---->
quantileGK(accuracy, level)(expr)
---->
SELECT quantileGK(1, 0.25)(number + 1) FROM numbers(1000)
---->
SELECT quantileGK(100, 0.25)(number + 1) FROM numbers(1000)
---->
quantileInterpolatedWeighted(level)(expr, weight)
---->
INSERT INTO t VALUES (0, 3), (1, 2), (2, 1), (5, 4)
---->
SELECT quantileInterpolatedWeighted(n, val) FROM t
---->
quantilePrometheusHistogram(level)(bucket_upper_bound, cumulative_bucket_value)
---->
SELECT quantilePrometheusHistogram(bucket_upper_bound, cumulative_bucket_value)
FROM VALUES('bucket_upper_bound Float64, cumulative_bucket_value UInt64', (0, 6), (0.5, 11), (1, 14), (inf, 19))
---->
quantileTDigest(level)(expr)
---->
SELECT quantileTDigest(number) FROM numbers(10)
---->
quantileTDigestWeighted(level)(expr, weight)
---->
SELECT quantileTDigestWeighted(number, 1) FROM numbers(10)
---->
quantileTiming(level)(expr)
---->
CREATE TABLE t (response_time UInt32) ENGINE = Memory
---->
INSERT INTO t VALUES (72), (112), (126), (145), (104), (242), (313), (168), (108)
---->
SELECT quantileTiming(response_time) FROM t
---->
quantileTimingWeighted(level)(expr, weight)
---->
CREATE TABLE t (response_time UInt32, weight UInt32) ENGINE = Memory
---->
INSERT INTO t VALUES (68, 1), (104, 2), (112, 3), (126, 2), (138, 1), (162, 1)
---->
SELECT quantileTimingWeighted(response_time, weight) FROM t
---->
INSERT INTO t VALUES (1), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)
---->
SELECT quantiles(0.25, 0.5, 0.75, 0.9)(val) FROM t
---->
SELECT quantilesBFloat16(0.25, 0.5, 0.75)(number) FROM numbers(10)
---->
SELECT quantilesBFloat16Weighted(0.25, 0.5, 0.75)(number, 1) FROM numbers(10)
---->
SELECT quantilesDD(0.01, 0.25, 0.5, 0.75)(number) FROM numbers(10)
---->
SELECT quantilesDeterministic(0.25, 0.5, 0.75)(number, number) FROM numbers(10)
---->
SELECT quantilesExact(0.25, 0.5, 0.75)(number) FROM numbers(10)
---->
CREATE TABLE num AS numbers(1000)
---->
SELECT quantilesExactExclusive(0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)(number) FROM num
---->
SELECT quantilesExactHigh(0.25, 0.5, 0.75)(number) FROM numbers(10)
---->
SELECT quantilesExactInclusive(0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)(number) FROM num
---->
SELECT quantilesExactLow(0.25, 0.5, 0.75)(number) FROM numbers(10)
---->
SELECT quantilesExactWeighted(0.25, 0.5, 0.75)(number, 1) FROM numbers(10)
---->
SELECT quantilesExactWeightedInterpolated(0.25, 0.5, 0.75)(number, 1) FROM numbers(10)
---->
SELECT quantilesGK(1, 0.25, 0.5, 0.75)(number + 1) FROM numbers(1000)
---->
SELECT quantilesGK(100, 0.25, 0.5, 0.75)(number + 1) FROM numbers(1000)
---->
SELECT quantilesInterpolatedWeighted(0.25, 0.5, 0.75)(number, 1) FROM numbers(10)
---->
SELECT quantilesPrometheusHistogram(0.25, 0.5, 0.75)(bucket_upper_bound, cumulative_bucket_value)
FROM VALUES('bucket_upper_bound Float64, cumulative_bucket_value UInt64', (0, 6), (0.5, 11), (1, 14), (inf, 19))
---->
SELECT quantilesTDigest(0.25, 0.5, 0.75)(number) FROM numbers(100)
---->
SELECT quantilesTDigestWeighted(0.25, 0.5, 0.75)(number, 1) FROM numbers(100)
---->
SELECT quantilesTiming(0.25, 0.5, 0.75)(response_time) FROM t
---->
SELECT quantilesTimingWeighted(0.5, 0.99)(response_time, weight) FROM t
---->
quantizeBFloat16ToInt8(x)
---->
SELECT quantizeBFloat16ToInt8(2.0::BFloat16)
---->
SELECT quantizeBFloat16ToInt8([0.1, -0.5, 2.0]::Array(BFloat16))
---->
queryID()
---->
SELECT count(DISTINCT t) FROM (SELECT queryID() AS t FROM remote('127.0.0.{1..3}', currentDatabase(), 'tmp') GROUP BY queryID())
---->
queryString(url)
---->
SELECT queryString('https://clickhouse.com/docs?query=value&param=123#section')
---->
queryStringAndFragment(url)
---->
SELECT queryStringAndFragment('https://clickhouse.com/docs?query=value&param=123#section')
---->
radians(x)
---->
SELECT radians(180)
---->
rand([x])
---->
SELECT rand()
---->
rand64([x])
---->
SELECT rand64()
---->
SELECT randBernoulli(.75) FROM numbers(5)
---->
SELECT randBinomial(100, .75) FROM numbers(5)
---->
randCanonical([x])
---->
SELECT randCanonical()
---->
SELECT randChiSquared(10) FROM numbers(5)
---->
randConstant([x])
---->
SELECT randConstant() AS random_value
---->
SELECT randConstant(10) AS random_value
---->
SELECT randExponential(1/10) FROM numbers(5)
---->
SELECT randFisherF(10, 3) FROM numbers(5)
---->
SELECT randLogNormal(100, 5) FROM numbers(5)
---->
SELECT randNegativeBinomial(100, .75) FROM numbers(5)
---->
SELECT randNormal(10, 2) FROM numbers(5)
---->
SELECT randPoisson(10) FROM numbers(5)
---->
SELECT randStudentT(10) FROM numbers(5)
---->
SELECT randUniform(5.5, 10) FROM numbers(5)
---->
randomFixedString(length)
---->
SELECT randomFixedString(13) AS rnd, toTypeName(rnd)
---->
SELECT length(randomHadamardTransform([1, 2, 3, 4]::Array(Float32)))
---->
SELECT round(arraySum(x -> x * x, randomHadamardTransform([1, 2, 3, 4]::Array(Float32))) - 30, 4)
---->
SELECT length(randomHadamardTransform([1, 2, 3, 4, 5, 6, 7, 8]::Array(Float32), 42, 3))
---->
SELECT length(randomHadamardTransform(CAST(range(1152), 'Array(Float32)')))
---->
SELECT number, randomPrintableASCII(30) AS str, length(str) FROM system.numbers LIMIT 3
---->
SELECT randomString(5) AS str FROM numbers(2)
---->
randomStringUTF8(length)
---->
SELECT randomStringUTF8(13)
---->
SELECT range(5), range(1, 5), range(1, 5, 2), range(-1, 5, 2)
---->
LAYOUT(RANGE_HASHED())
---->
SELECT player, salary,
       rank() OVER (ORDER BY salary DESC) AS rank
FROM salaries
---->
rankCorr(x, y)
---->
SELECT rankCorr(number, number) FROM numbers(100)
---->
SELECT roundBankers(rankCorr(exp(number), sin(number)), 3) FROM numbers(100)
---->
CREATE TABLE my_regular_table
(
    `id` UInt64,
    `s` String
)
ENGINE = MergeTree
ORDER BY id
---->
INSERT INTO my_regular_table
SELECT
    number AS id,
    number % 20 = 0 ? toString(number): '' AS s
FROM
    numbers(10000000)
---->
CREATE TABLE my_sparse_table
(
    `id` UInt64,
    `s` String
)
ENGINE = MergeTree
ORDER BY id
SETTINGS ratio_of_defaults_for_sparse_serialization = 0.95
---->
INSERT INTO my_sparse_table
SELECT
    number,
    number % 20 = 0 ? toString(number): ''
FROM
    numbers(10000000)
---->
SELECT table, name, data_compressed_bytes, data_uncompressed_bytes FROM system.columns
WHERE table LIKE 'my_%_table'
---->
SELECT column, serialization_kind FROM system.parts_columns
WHERE table LIKE 'my_sparse_table'
---->
readWKB(wkb_string)
---->
SELECT readWKB(unhex('010300000001000000050000000000000000000040000000000000000000000000000024400000000000000000000000000000244000000000000024400000000000000000000000000000244000000000000000400000000000000000'))
---->
readWKBLineString(wkb_string)
---->
SELECT readWKBLineString(unhex('010200000004000000000000000000f03f000000000000f03f0000000000000040000000000000004000000000000008400000000000000840000000000000f03f000000000000f03f'))
---->
readWKBMultiLineString(wkb_string)
---->
SELECT readWKBMultiLineString(unhex('010500000002000000010200000003000000000000000000f03f000000000000f03f0000000000000040000000000000004000000000000008400000000000000840010200000003000000000000000000104000000000000010400000000000001440000000000000144000000000000018400000000000001840'))
---->
readWKBMultiPolygon(wkb_string)
---->
SELECT
    toTypeName(readWKBMultiPolygon(unhex('0106000000020000000103000000020000000500000000000000000000400000000000000000000000000000244000000000000000000000000000002440000000000000244000000000000000000000000000002440000000000000004000000000000000000500000000000000000010400000000000001040000000000000144000000000000010400000000000001440000000000000144000000000000010400000000000001440000000000000104000000000000010400103000000010000000400000000000000000024c000000000000024c000000000000024c000000000000022c000000000000022c0000000000000244000000000000024c000000000000024c0'))) AS type,
    readWKBMultiPolygon(unhex('0106000000020000000103000000020000000500000000000000000000400000000000000000000000000000244000000000000000000000000000002440000000000000244000000000000000000000000000002440000000000000004000000000000000000500000000000000000010400000000000001040000000000000144000000000000010400000000000001440000000000000144000000000000010400000000000001440000000000000104000000000000010400103000000010000000400000000000000000024c000000000000024c000000000000024c000000000000022c000000000000022c0000000000000244000000000000024c000000000000024c0')) FORMAT Vertical
---->
readWKBPoint(wkb_string)
---->
SELECT toTypeName(readWKBPoint(unhex('0101000000333333333333f33f3333333333330b40')))
---->
readWKBPolygon(wkb_string)
---->
SELECT
    toTypeName(readWKBPolygon(unhex('010300000001000000050000000000000000000040000000000000000000000000000024400000000000000000000000000000244000000000000024400000000000000000000000000000244000000000000000400000000000000000'))) AS type,
    readWKBPolygon(unhex('010300000001000000050000000000000000000040000000000000000000000000000024400000000000000000000000000000244000000000000024400000000000000000000000000000244000000000000000400000000000000000'))
---->
readWKT(wkt_string)
---->
SELECT readWKT('LINESTRING (1 1, 2 2, 3 3, 1 1)')
---->
readWKTLineString(wkt_string)
---->
SELECT readWKTLineString('LINESTRING (1 1, 2 2, 3 3, 1 1)')
---->
SELECT toTypeName(readWKTLineString('LINESTRING (1 1, 2 2, 3 3, 1 1)'))
---->
readWKTMultiLineString(wkt_string)
---->
SELECT readWKTMultiLineString('MULTILINESTRING ((1 1, 2 2, 3 3), (4 4, 5 5, 6 6))')
---->
SELECT toTypeName(readWKTMultiLineString('MULTILINESTRING ((1 1, 2 2, 3 3, 1 1))'))
---->
readWKTMultiPolygon(wkt_string)
---->
SELECT
    toTypeName(readWKTMultiPolygon('MULTIPOLYGON(((2 0,10 0,10 10,0 10,2 0),(4 4,5 4,5 5,4 5,4 4)),((-10 -10,-10 -9,-9 10,-10 -10)))')) AS type,
    readWKTMultiPolygon('MULTIPOLYGON(((2 0,10 0,10 10,0 10,2 0),(4 4,5 4,5 5,4 5,4 4)),((-10 -10,-10 -9,-9 10,-10 -10)))') AS output
---->
readWKTPoint(wkt_string)
---->
SELECT readWKTPoint('POINT (1.2 3.4)')
---->
readWKTPolygon(wkt_string)
---->
SELECT
    toTypeName(readWKTPolygon('POLYGON((2 0,10 0,10 10,0 10,2 0))')) AS type,
    readWKTPolygon('POLYGON((2 0,10 0,10 10,0 10,2 0))') AS output
---->
readWKTRing(wkt_string)
---->
SELECT readWKTRing('POLYGON ((1 1, 2 2, 3 3, 1 1))')
---->
SELECT * FROM redis(
    'redis1:6379',
    'key',
    'key String, v1 String, v2 UInt32'
)
---->
INSERT INTO TABLE FUNCTION redis(
    'redis1:6379',
    'key',
    'key String, v1 String, v2 UInt32') values ('1', '1', 1)
---->
SELECT
    regexpExtract('100-200', '(\\d+)-(\\d+)', 1),
    regexpExtract('100-200', '(\\d+)-(\\d+)', 2),
    regexpExtract('100-200', '(\\d+)-(\\d+)', 0),
    regexpExtract('100-200', '(\\d+)-(\\d+)'),
    regexpExtract('100-200', '\\d+')
---->
SELECT
    regexpPosition('hello world', 'world'),
    regexpPosition('aXbXcXd', 'X', 1, 2),
    regexpPosition('aXbXcXd', 'X', 1, 2, 1),
    regexpPosition('Hello WORLD', 'world', 1, 1, 0, 'i'),
    regexpPosition('foo123bar456', '([a-z]+)([0-9]+)', 1, 2, 0, '', 2)
---->
regexpQuoteMeta(s)
---->
SELECT regexpQuoteMeta('Hello. [World]? (Yes)*') AS res
---->
LAYOUT(REGEXP_TREE())
---->
SELECT regionHierarchy(number::UInt32) AS arr, arrayMap(id -> regionToName(id, 'en'), arr) FROM numbers(5)
---->
SELECT regionToName(n1.number::UInt32, 'en') || (regionIn(n1.number::UInt32, n2.number::UInt32) ? ' is in ' : ' is not in ') || regionToName(n2.number::UInt32, 'en') FROM numbers(1,2) AS n1 CROSS JOIN numbers(1,5) AS n2
---->
SELECT DISTINCT regionToName(regionToArea(toUInt32(number), 'ua'))
FROM system.numbers
LIMIT 15
---->
SELECT regionToName(number::UInt32, 'en'), regionToCity(number::UInt32) AS id, regionToName(id, 'en') FROM numbers(13)
---->
SELECT regionToName(number::UInt32, 'en'), regionToContinent(number::UInt32) AS id, regionToName(id, 'en') FROM numbers(13)
---->
SELECT regionToName(number::UInt32, 'en'), regionToCountry(number::UInt32) AS id, regionToName(id, 'en') FROM numbers(13)
---->
SELECT DISTINCT regionToName(regionToDistrict(toUInt32(number), 'ua')) FROM system.numbers LIMIT 15
---->
SELECT regionToName(number::UInt32,'en') FROM numbers(0,5)
---->
SELECT regionToName(number::UInt32, 'en'), regionToPopulation(number::UInt32) AS id, regionToName(id, 'en') FROM numbers(13)
---->
SELECT regionToName(number::UInt32, 'en'), regionToTopContinent(number::UInt32) AS id, regionToName(id, 'en') FROM numbers(13)
---->
reinterpret(x, type)
---->
SELECT reinterpret(toInt8(-1), 'UInt8') AS int_to_uint,
    reinterpret(toInt8(1), 'Float32') AS int_to_float,
    reinterpret('1', 'UInt32') AS string_to_int
---->
SELECT reinterpret(x'3108b4403108d4403108b4403108d440', 'Array(Float32)') AS string_to_array_of_Float32
---->
SELECT hex(reinterpret([toUInt8(1), toUInt8(2), toUInt8(255)]::Array(UInt8), 'String')) AS array_of_UInt8_to_string
---->
reinterpretAsDate(x)
---->
SELECT reinterpretAsDate(65), reinterpretAsDate('A')
---->
reinterpretAsDateTime(x)
---->
SELECT reinterpretAsDateTime(65), reinterpretAsDateTime('A')
---->
reinterpretAsFixedString(x)
---->
SELECT
    reinterpretAsFixedString(toDateTime('1970-01-01 01:01:05')),
    reinterpretAsFixedString(toDate('1970-03-07'))
---->
reinterpretAsFloat32(x)
---->
SELECT reinterpretAsUInt32(toFloat32(0.2)) AS x, reinterpretAsFloat32(x)
---->
reinterpretAsFloat64(x)
---->
SELECT reinterpretAsUInt64(toFloat64(0.2)) AS x, reinterpretAsFloat64(x)
---->
reinterpretAsInt128(x)
---->
SELECT
    toInt64(257) AS x,
    toTypeName(x),
    reinterpretAsInt128(x) AS res,
    toTypeName(res)
---->
reinterpretAsInt16(x)
---->
SELECT
    toInt8(257) AS x,
    toTypeName(x),
    reinterpretAsInt16(x) AS res,
    toTypeName(res)
---->
reinterpretAsInt256(x)
---->
SELECT
    toInt128(257) AS x,
    toTypeName(x),
    reinterpretAsInt256(x) AS res,
    toTypeName(res)
---->
reinterpretAsInt32(x)
---->
SELECT
    toInt16(257) AS x,
    toTypeName(x),
    reinterpretAsInt32(x) AS res,
    toTypeName(res)
---->
reinterpretAsInt64(x)
---->
SELECT
    toInt32(257) AS x,
    toTypeName(x),
    reinterpretAsInt64(x) AS res,
    toTypeName(res)
---->
reinterpretAsInt8(x)
---->
SELECT
    toUInt8(257) AS x,
    toTypeName(x),
    reinterpretAsInt8(x) AS res,
    toTypeName(res)
---->
reinterpretAsString(x)
---->
SELECT
    reinterpretAsString(toDateTime('1970-01-01 01:01:05')),
    reinterpretAsString(toDate('1970-03-07'))
---->
SELECT hex(reinterpretAsString([toUInt8(1), toUInt8(2), toUInt8(255)]::Array(UInt8))) AS array_of_UInt8_to_string
---->
reinterpretAsUInt128(x)
---->
SELECT
    toUInt64(257) AS x,
    toTypeName(x),
    reinterpretAsUInt128(x) AS res,
    toTypeName(res)
---->
reinterpretAsUInt16(x)
---->
SELECT
    toUInt8(257) AS x,
    toTypeName(x),
    reinterpretAsUInt16(x) AS res,
    toTypeName(res)
---->
reinterpretAsUInt256(x)
---->
SELECT
    toUInt128(257) AS x,
    toTypeName(x),
    reinterpretAsUInt256(x) AS res,
    toTypeName(res)
---->
reinterpretAsUInt32(x)
---->
SELECT
    toUInt16(257) AS x,
    toTypeName(x),
    reinterpretAsUInt32(x) AS res,
    toTypeName(res)
---->
reinterpretAsUInt64(x)
---->
SELECT
    toUInt32(257) AS x,
    toTypeName(x),
    reinterpretAsUInt64(x) AS res,
    toTypeName(res)
---->
reinterpretAsUInt8(x)
---->
SELECT
    toInt8(-1) AS val,
    toTypeName(val),
    reinterpretAsUInt8(val) AS res,
    toTypeName(res)
---->
reinterpretAsUUID(fixed_string)
---->
SELECT reinterpretAsUUID(reverse(unhex('000102030405060708090a0b0c0d0e0f')))
---->
SELECT * FROM remote('127.0.0.1', db.remote_engine_table) LIMIT 3
---->
CREATE NAMED COLLECTION creds AS
        host = '127.0.0.1',
        database = 'db'
---->
SELECT * FROM remote(creds, table='remote_engine_table') LIMIT 3
---->
CREATE TABLE remote_table (name String, value UInt32) ENGINE=Memory
---->
INSERT INTO FUNCTION remote('127.0.0.1', currentDatabase(), 'remote_table') VALUES ('test', 42)
---->
SELECT * FROM remote_table
---->
show databases
---->
show tables in imdb
---->
SELECT create_table_query
  FROM system.tables
  WHERE database = 'imdb' AND table = 'actors'
---->
CREATE TABLE imdb.actors (`id` UInt32,
                            `first_name` String,
                            `last_name` String,
                            `gender` FixedString(1))
                  ENGINE = MergeTree
                  ORDER BY (id, first_name, last_name, gender)
---->
CREATE DATABASE imdb
---->
INSERT INTO FUNCTION
remoteSecure('remote.clickhouse.cloud:9440', 'imdb.actors', 'USER', 'PASSWORD')
SELECT * from imdb.actors
---->
removeDiacriticsUTF8(str)
---->
SELECT removeDiacriticsUTF8('café résumé naïve')
---->
repeat(s, n)
---->
SELECT repeat('abc', 10)
---->
replaceAll(haystack, pattern, replacement)
---->
SELECT replaceAll('Hello, Hello world', 'Hello', 'Hi') AS res
---->
replaceOne(haystack, pattern, replacement)
---->
SELECT replaceOne('Hello, Hello world', 'Hello', 'Hi') AS res
---->
replaceRegexpAll(haystack, pattern, replacement)
---->
SELECT replaceRegexpAll('Hello123', '.', '\\0\\0') AS res
---->
SELECT replaceRegexpAll('Hello, World!', '^', 'here: ') AS res
---->
replaceRegexpOne(haystack, pattern, replacement)
---->
SELECT replaceRegexpOne(d, '(\\d{4})-(\\d{2})-(\\d{2})', '\\2/\\3/\\1') AS res
FROM values('d String', '2014-03-17', '2014-03-18', '2014-03-19')
---->
SELECT replaceRegexpOne('Hello, World!', '.*', '\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0') AS res
---->
replicate(x, arr)
---->
SELECT replicate(1, ['a', 'b', 'c'])
---->
SET max_threads = 3, max_block_size = 3333
---->
SET max_result_rows = 3334, result_overflow_mode = 'break'
---->
SELECT *
FROM numbers_mt(100000)
FORMAT Null
---->
SELECT reverse([1, 2, 3, 4])
---->
SELECT reverse('abcd')
---->
SELECT reverseBySeparator('www.google.com')
---->
SELECT reverseBySeparator('a/b/c', '/')
---->
SELECT reverseBySeparator('x::y::z', '::')
---->
SELECT reverseBySeparator('.a.b.', '.')
---->
SELECT reverseBySeparator('single')
---->
SELECT reverseBySeparator('abcde', '')
---->
reverseUTF8(s)
---->
SELECT reverseUTF8('ClickHouse')
---->
revision()
---->
SELECT revision()
---->
right(s, offset)
---->
SELECT right('Hello', 3)
---->
SELECT right('Hello', -3)
---->
SELECT rightPad('abc', 7, '*'), rightPad('abc', 7)
---->
SELECT rightPadUTF8('абвг', 7, '*'), rightPadUTF8('абвг', 7)
---->
rightUTF8(s, offset)
---->
SELECT rightUTF8('Привет', 4)
---->
SELECT rightUTF8('Привет', -4)
---->
SELECT number / 2 AS x, round(x) FROM system.numbers LIMIT 3
---->
SELECT cast(number / 2 AS  Decimal(10,4)) AS x, round(x) FROM system.numbers LIMIT 3
---->
roundAge(num)
---->
SELECT *, roundAge(*) FROM system.numbers WHERE number IN (0, 5, 20, 31, 37, 54, 72)
---->
SELECT number / 2 AS x, roundBankers(x, 0) AS b FROM system.numbers LIMIT 10
---->
roundDown(num, arr)
---->
SELECT *, roundDown(*, [3, 4, 5]) FROM system.numbers WHERE number IN (0, 1, 2, 3, 4, 5)
---->
roundDuration(num)
---->
SELECT *, roundDuration(*) FROM system.numbers WHERE number IN (0, 9, 19, 47, 101, 149, 205, 271, 421, 789, 1423, 2345, 4567, 9876, 24680, 42573)
---->
roundToExp2(num)
---->
SELECT *, roundToExp2(*) FROM system.numbers WHERE number IN (0, 2, 5, 10, 19, 50)
---->
rowNumberInAllBlocks()
---->
SELECT rowNumberInAllBlocks()
FROM
(
    SELECT *
    FROM system.numbers_mt
    LIMIT 10
)
SETTINGS max_block_size = 2
---->
rowNumberInBlock()
---->
SELECT rowNumberInBlock()
FROM
(
    SELECT *
    FROM system.numbers_mt
    LIMIT 10
) SETTINGS max_block_size = 2
---->
INSERT INTO salaries FORMAT Values
    ('Port Elizabeth Barbarians', 'Gary Chen', 195000, 'F'),
    ('New Coreystad Archdukes', 'Charles Juarez', 190000, 'F'),
    ('Port Elizabeth Barbarians', 'Michael Stanley', 150000, 'D'),
    ('New Coreystad Archdukes', 'Scott Harrison', 150000, 'D'),
    ('Port Elizabeth Barbarians', 'Robert George', 195000, 'M')
---->
SELECT player, salary, 
       row_number() OVER (ORDER BY salary DESC) AS row_number
FROM salaries
---->
runningConcurrency(start, end)
---->
SELECT start, runningConcurrency(start, end) FROM example_table
---->
runningDifference(x)
---->
CREATE TABLE events
(
    EventID UInt32,
    EventDate Date,
    EventTime DateTime
)
ENGINE = Memory
---->
INSERT INTO events VALUES
    (1106, '2025-11-24', '2025-11-24 00:00:04'),
    (1107, '2025-11-24', '2025-11-24 00:00:05'),
    (1108, '2025-11-24', '2025-11-24 00:00:05'),
    (1109, '2025-11-24', '2025-11-24 00:00:09'),
    (1110, '2025-11-24', '2025-11-24 00:00:10')
---->
SELECT
    EventID,
    EventTime,
    runningDifference(EventTime) AS delta
FROM
(
    SELECT
        EventID,
        EventTime
    FROM events
    WHERE EventDate = '2025-11-24'
    ORDER BY EventTime ASC, EventID ASC
    LIMIT 5
)
---->
SELECT
    number,
    runningDifference(number + 1) AS diff
FROM numbers(100000)
WHERE diff != 1
---->
runningDifferenceStartingWithFirstValue(x)
---->
SELECT
    number,
    runningDifferenceStartingWithFirstValue(number) AS diff
FROM numbers(5)
---->
SELECT *
FROM s3(
   'https://datasets-documentation.s3.eu-west-3.amazonaws.com/aapl_stock.csv',
   'CSVWithNames'
)
LIMIT 5
---->
SELECT *
FROM s3(
   'https://datasets-documentation.s3.eu-west-3.amazonaws.com/aapl_stock.csv'
)
LIMIT 5
---->
SELECT *
FROM s3(
  'https://<my-bucket>.s3.<my-region>.amazonaws.com/path/to/my-data.parquet.snappy',
  compression_format = 'none'
)
---->
SELECT count(*)
FROM s3('https://datasets-documentation.s3.eu-west-3.amazonaws.com/my-test-bucket-768/{some,another}_prefix/some_file_{1..3}.csv', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
---->
SELECT count(*)
FROM s3('https://datasets-documentation.s3.eu-west-3.amazonaws.com/my-test-bucket-768/{some,another}_prefix/*', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
---->
SELECT count(*)
FROM s3('https://datasets-documentation.s3.eu-west-3.amazonaws.com/my-test-bucket-768/big_prefix/file-{000..999}.csv', 'CSV', 'column1 UInt32, column2 UInt32, column3 UInt32')
---->
INSERT INTO FUNCTION s3('https://clickhouse-public-datasets.s3.amazonaws.com/my-test-bucket-768/test-data.csv.gz', 'CSV', 'name String, value UInt32', 'gzip')
VALUES ('test-data', 1), ('test-data-2', 2)
---->
INSERT INTO FUNCTION s3('https://clickhouse-public-datasets.s3.amazonaws.com/my-test-bucket-768/test-data.csv.gz', 'CSV', 'name String, value UInt32', 'gzip')
SELECT name, value FROM existing_table
---->
SELECT * FROM s3('https://clickhouse-public-datasets.s3.amazonaws.com/my-test-bucket-768/**', 'CSV', 'name String, value UInt32', 'gzip')
---->
SELECT * FROM s3('https://clickhouse-public-datasets.s3.amazonaws.com/my-test-bucket-768/**/test-data.csv.gz', 'CSV', 'name String, value UInt32', 'gzip')
---->
SELECT * FROM s3('s3://clickhouse-public-datasets/my-test-bucket-768/**/test-data.csv.gz', 'CSV', 'name String, value UInt32', 'gzip')
---->
SELECT count(*)
FROM s3(creds, url='https://s3-object-url.csv')
---->
INSERT INTO FUNCTION s3(s3_conn, filename='t_03363_function', format=Parquet, partition_strategy='hive') PARTITION BY (year, country) SELECT 2020 as year, 'Russia' as country, 1 as id
---->
INSERT INTO TABLE FUNCTION
    s3('http://bucket.amazonaws.com/my_bucket/file_{_partition_id}.csv', 'CSV', 'a String, b UInt32, c UInt32', partition_strategy='wildcard')
    PARTITION BY a VALUES ('x', 2, 3), ('x', 4, 5), ('y', 11, 12), ('y', 13, 14), ('z', 21, 22), ('z', 23, 24)
---->
INSERT INTO TABLE FUNCTION
    s3('http://bucket.amazonaws.com/my_bucket_{_partition_id}/file.csv', 'CSV', 'a UInt32, b UInt32, c UInt32', partition_strategy='wildcard')
    PARTITION BY a VALUES (1, 2, 3), (1, 4, 5), (10, 11, 12), (10, 13, 14), (20, 21, 22), (20, 23, 24)
---->
SELECT *
FROM s3(
   'https://datasets-documentation.s3.eu-west-3.amazonaws.com/aapl_stock.csv',
   NOSIGN,
   'CSVWithNames'
)
LIMIT 5
---->
SELECT count() FROM s3('https://datasets-documentation.s3.eu-west-3.amazonaws.com/mta/*.tsv', '<KEY>', '<SECRET>','TSVWithNames')
---->
SELECT count() FROM s3('https://datasets-documentation.s3.eu-west-3.amazonaws.com/mta/*.tsv','CSVWithNames',extra_credentials(role_arn = 'arn:aws:iam::111111111111:role/ClickHouseAccessRole-001'))
---->
SELECT count() FROM s3('https://datasets-documentation.s3.eu-west-3.amazonaws.com/mta/*.tsv','CSVWithNames',extra_credentials(role_arn = 'arn:aws:iam::111111111111:role/ClickHouseAccessRole-001', external_id = 'my-external-id'))
---->
SELECT * FROM s3('s3://data/path/date=*/country=*/code=*/*.parquet') WHERE date > '2020-01-01' AND country = 'Netherlands' AND code = 42
---->
disk(type = s3, endpoint = '...', access_key_id = '...', secret_access_key = '...')
---->
SELECT * FROM s3Cluster(
    'cluster_simple',
    'http://minio1:9001/root/data/{clickhouse,database}/*',
    'minio',
    'ClickHouse_Minio_P@ssw0rd',
    'CSV',
    'name String, value UInt32, polygon Array(Array(Tuple(Float64, Float64)))'
) ORDER BY (name, value, polygon)
---->
CREATE NAMED COLLECTION creds AS
        access_key_id = 'minio',
        secret_access_key = 'ClickHouse_Minio_P@ssw0rd'
---->
SELECT count(*) FROM s3Cluster(
    'cluster_simple', creds, url='https://s3-object-url.csv',
    format='CSV', structure='name String, value UInt32, polygon Array(Array(Tuple(Float64, Float64)))'
)
---->
disk(type = s3_plain, endpoint = '...')
---->
disk(type = s3_plain_rewritable, endpoint = '...')
---->
disk(type = s3_with_keeper, endpoint = '...')
---->
desc format(JSONEachRow, '{"x" : 1, "y" : "String", "z" : "0.0.0.0" }') settings schema_inference_hints='x UInt8, z IPv4'
---->
seriesDecomposeSTL(series, period)
---->
SELECT seriesDecomposeSTL([10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34], 3) AS print_0
---->
SELECT seriesOutliersDetectTukey([-3, 2, 15, 3, 5, 6, 4, 5, 12, 45, 12, 3, 3, 4, 5, 6]) AS print_0
---->
SELECT seriesOutliersDetectTukey([-3, 2, 15, 3, 5, 6, 4.50, 5, 12, 45, 12, 3.40, 3, 4, 5, 6], 0.2, 0.8, 1.5) AS print_0
---->
serverTimezone()
---->
SELECT serverTimeZone()
---->
serverUUID()
---->
SELECT serverUUID()
---->
CREATE TABLE test_tz (`d` DateTime('UTC')) ENGINE = Memory AS SELECT toDateTime('2000-01-01 00:00:00', 'UTC')
---->
shardCount()
---->
-- See shardNum() example above which also demonstrates shardCount()
CREATE TABLE shard_count_example (dummy UInt8)
ENGINE=Distributed(test_cluster_two_shards_localhost, system, one, dummy)
---->
SELECT shardCount() FROM shard_count_example
---->
shardNum()
---->
CREATE TABLE shard_num_example (dummy UInt8)
ENGINE=Distributed(test_cluster_two_shards_localhost, system, one, dummy)
---->
SELECT dummy, shardNum(), shardCount() FROM shard_num_example
---->
showCertificate()
---->
SELECT showCertificate() FORMAT LineAsString
---->
sigmoid(x)
---->
SELECT sigmoid(0)
---->
sign(x)
---->
SELECT sign(0)
---->
SELECT sign(1)
---->
SELECT sign(-1)
---->
simpleJSONExtractBool(json, field_name)
---->
CREATE TABLE jsons
(
    `json` String
)
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO jsons VALUES ('{"foo":false,"bar":true}')
---->
INSERT INTO jsons VALUES ('{"foo":"true","qux":1}')
---->
SELECT simpleJSONExtractBool(json, 'bar') FROM jsons ORDER BY json
---->
SELECT simpleJSONExtractBool(json, 'foo') FROM jsons ORDER BY json
---->
simpleJSONExtractFloat(json, field_name)
---->
INSERT INTO jsons VALUES ('{"foo":"-4e3"}')
---->
INSERT INTO jsons VALUES ('{"foo":-3.4}')
---->
INSERT INTO jsons VALUES ('{"foo":5}')
---->
INSERT INTO jsons VALUES ('{"foo":"not1number"}')
---->
INSERT INTO jsons VALUES ('{"baz":2}')
---->
SELECT simpleJSONExtractFloat(json, 'foo') FROM jsons ORDER BY json
---->
simpleJSONExtractInt(json, field_name)
---->
SELECT simpleJSONExtractInt(json, 'foo') FROM jsons ORDER BY json
---->
simpleJSONExtractRaw(json, field_name)
---->
INSERT INTO jsons VALUES ('{"foo":{"def":[1,2,3]}}')
---->
SELECT simpleJSONExtractRaw(json, 'foo') FROM jsons ORDER BY json
---->
simpleJSONExtractString(json, field_name)
---->
INSERT INTO jsons VALUES ('{"foo":"\\n\\u0000"}')
---->
INSERT INTO jsons VALUES ('{"foo":"\\u263"}')
---->
INSERT INTO jsons VALUES ('{"foo":"\\u263a"}')
---->
INSERT INTO jsons VALUES ('{"foo":"hello}')
---->
SELECT simpleJSONExtractString(json, 'foo') FROM jsons ORDER BY json
---->
simpleJSONExtractUInt(json, field_name)
---->
INSERT INTO jsons VALUES ('{"foo":"4e3"}')
---->
INSERT INTO jsons VALUES ('{"foo":3.4}')
---->
SELECT simpleJSONExtractUInt(json, 'foo') FROM jsons ORDER BY json
---->
simpleJSONHas(json, field_name)
---->
SELECT simpleJSONHas(json, 'foo') FROM jsons
---->
SELECT simpleJSONHas(json, 'bar') FROM jsons
---->
simpleLinearRegression(x, y)
---->
SELECT arrayReduce('simpleLinearRegression', [0, 1, 2, 3], [0, 1, 2, 3])
---->
SELECT arrayReduce('simpleLinearRegression', [0, 1, 2, 3], [3, 4, 5, 6])
---->
sin(x)
---->
SELECT sin(1.23)
---->
singleValueOrNull(x)
---->
CREATE TABLE test (x UInt8 NULL) ENGINE=Log
---->
INSERT INTO test (x) VALUES (NULL), (NULL), (5), (NULL), (NULL)
---->
SELECT singleValueOrNull(x) FROM test
---->
INSERT INTO test (x) VALUES (10)
---->
sinh(x)
---->
SELECT sinh(0)
---->
SELECT hex(sipHash128('foo', '\x01', 3))
---->
SELECT hex(sipHash128Keyed((506097522914230528, 1084818905618843912),'foo', '\x01', 3))
---->
SELECT hex(sipHash128Reference('foo', '', 3))
---->
SELECT sipHash64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS SipHash, toTypeName(SipHash) AS type
---->
SELECT sipHash64Keyed((506097522914230528, 1084818905618843912), array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS SipHash, toTypeName(SipHash) AS type
---->
skewPop(expr)
---->
SELECT skewPop(number) FROM numbers(100)
---->
SELECT skewPop(x) FROM (SELECT pow(number, 2) AS x FROM numbers(10))
---->
skewSamp(expr)
---->
SELECT skewSamp(number) FROM numbers(100)
---->
SELECT skewSamp(x) FROM (SELECT pow(number, 2) AS x FROM numbers(10))
---->
SET skip_redundant_aliases_in_udf = 0
---->
CREATE FUNCTION IF NOT EXISTS test_03274 AS ( x ) -> ((x + 1 as y, y + 2))
---->
EXPLAIN SYNTAX SELECT test_03274(4 + 2)
---->
SET skip_redundant_aliases_in_udf = 1
---->
sleep(seconds)
---->
-- This query will pause for 2 seconds before completing.
-- During this time, no results will be returned, and the query will appear to be hanging or unresponsive.
SELECT sleep(2)
---->
sleepEachRow(seconds)
---->
-- The output will be delayed, with a 0.5-second pause between each row.
SELECT number, sleepEachRow(0.5) FROM system.numbers LIMIT 5
---->
SELECT snowflakeIDToDateTime(7204436857747984384) AS res
---->
SELECT snowflakeIDToDateTime64(7204436857747984384) AS res
---->
soundex(s)
---->
SELECT soundex('aksel')
---->
space(n)
---->
SELECT space(3) AS res, length(res)
---->
CREATE TABLE spark_bar_data (`value` Int64, `event_date` Date) ENGINE = MergeTree ORDER BY event_date
---->
INSERT INTO spark_bar_data VALUES (1,'2020-01-01'), (3,'2020-01-02'), (4,'2020-01-02'), (-3,'2020-01-02'), (5,'2020-01-03'), (2,'2020-01-04'), (3,'2020-01-05'), (7,'2020-01-06'), (6,'2020-01-07'), (8,'2020-01-08'), (2,'2020-01-11')
---->
SELECT sparkbar(9)(event_date, cnt) FROM (SELECT sum(value) AS cnt, event_date FROM spark_bar_data GROUP BY event_date)
---->
SELECT sparkbar(9, toDate('2020-01-01'), toDate('2020-01-10'))(event_date, cnt) FROM (SELECT sum(value) AS cnt, event_date FROM spark_bar_data GROUP BY event_date)
---->
SELECT sparseGrams('alice', 3)
---->
SELECT sparseGramsHashes('alice', 3)
---->
SELECT sparseGramsHashesUTF8('алиса', 3)
---->
SELECT sparseGramsUTF8('алиса', 3)
---->
LAYOUT(SPARSE_HASHED())
---->
SELECT splitByChar(',', '1,2,3,abcde')
---->
SELECT splitByNonAlpha('user@domain.com')
---->
SELECT splitByRegexp('\\d+', 'a12bc23de345f')
---->
SELECT splitByRegexp('', 'abcde')
---->
SELECT splitByString(', ', '1, 2 3, 4,5, abcde')
---->
SELECT splitByString('', 'abcde')
---->
SELECT splitByWhitespace('  1!  a,  b.  ')
---->
sqidDecode(sqid)
---->
SELECT sqidDecode('gXHfJ1C6dN')
---->
SELECT sqidEncode(1, 2, 3, 4, 5)
---->
sqlite('db_path', 'table_name')
---->
SELECT * FROM sqlite('sqlite.db', (SELECT col1, col2 FROM table1 WHERE col2 > 1))
---->
SELECT * FROM sqlite('sqlite.db', query('SELECT col1, col2 FROM table1 WHERE col2 > 1'))
---->
SELECT * FROM sqlite('sqlite.db', 'table1') ORDER BY col2
---->
sqr(x)
---->
SELECT sqr(5)
---->
sqrt(x)
---->
SELECT sqrt(16)
---->
startsWith(s, prefix)
---->
SELECT startsWith('ClickHouse', 'Click')
---->
startsWithCaseInsensitive(s, prefix)
---->
SELECT startsWithCaseInsensitive('ClickHouse', 'CLICK')
---->
startsWithCaseInsensitiveUTF8(s, prefix)
---->
SELECT startsWithCaseInsensitiveUTF8('приставка', 'при')
---->
startsWithUTF8(s, prefix)
---->
SELECT startsWithUTF8('приставка', 'при')
---->
stddevPop(x)
---->
CREATE TABLE test_data (population UInt8) ENGINE = Log
---->
INSERT INTO test_data VALUES (3),(3),(3),(4),(4),(5),(5),(7),(11),(15)
---->
SELECT stddevPop(population) AS stddev FROM test_data
---->
stddevPopStable(x)
---->
DROP TABLE IF EXISTS test_data
---->
CREATE TABLE test_data
(
    population Float64,
)
ENGINE = Log
---->
INSERT INTO test_data SELECT randUniform(5.5, 10) FROM numbers(1000000)
---->
SELECT
    stddevPopStable(population) AS stddev
FROM test_data
---->
stddevSamp(x)
---->
CREATE TABLE test_data
(
    population UInt8,
)
ENGINE = Log
---->
SELECT
    stddevSamp(population)
FROM test_data
---->
stddevSampStable(x)
---->
SELECT
    stddevSampStable(population)
FROM test_data
---->
CREATE TABLE IF NOT EXISTS train_data
(
    target Float64,
    x1 Float64,
    x2 Float64
) ENGINE = Memory
---->
INSERT INTO train_data VALUES (1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0), (5, 5, 0), (6, 6, 0)
---->
CREATE TABLE your_model ENGINE = Memory AS SELECT
stochasticLinearRegressionState(0.1, 0.0, 5, 'SGD')(target, x1, x2)
AS state FROM train_data
---->
CREATE TABLE IF NOT EXISTS test_data
(
    x1 Float64,
    x2 Float64
) ENGINE = Memory
---->
INSERT INTO test_data VALUES (10, 0), (20, 0)
---->
WITH (SELECT state FROM your_model) AS model SELECT
evalMLMethod(model, x1, x2) FROM test_data
---->
SELECT stochasticLinearRegression(0.01)(target, x1, x2)
FROM train_data
---->
CREATE TABLE train_data (target Float64, x1 Float64, x2 Float64) ENGINE = Memory
---->
SELECT count() FROM your_model
---->
CREATE TABLE test_data (x1 Float64, x2 Float64) ENGINE = Memory
---->
WITH (SELECT state FROM your_model) AS model SELECT
evalMLMethod(model, x1, x2) > 0 FROM test_data
---->
SELECT length(stochasticLinearRegression(0.01)(target, x1, x2)) FROM train_data
---->
INSERT INTO train_data VALUES (-1, 1, 1), (-1, 2, 1), (-1, 3, 2), (1, 8, 9), (1, 9, 8), (1, 10, 10)
---->
CREATE TABLE your_model ENGINE = Memory AS SELECT
stochasticLogisticRegressionState(1.0, 1.0, 10, 'SGD')(target, x1, x2)
AS state FROM train_data
---->
INSERT INTO test_data VALUES (1, 1), (9, 9)
---->
SELECT result < 1.1 AND result > 0.5 FROM
(WITH (SELECT state FROM your_model) AS model SELECT
evalMLMethod(model, x1, x2) AS result FROM test_data)
---->
CREATE TABLE your_model
ENGINE = MergeTree
ORDER BY tuple()
AS SELECT
stochasticLogisticRegressionState(1.0, 1.0, 10, 'SGD')(target, x1, x2)
AS state FROM train_data
---->
WITH (SELECT state FROM your_model) AS model
SELECT
evalMLMethod(model, x1, x2) BETWEEN 0 AND 1
FROM test_data
---->
SELECT result < 1.1 AND result > 0.5
FROM (
WITH (SELECT state FROM your_model) AS model SELECT
evalMLMethod(model, x1, x2) AS result FROM test_data)
---->
stringBytesEntropy(s)
---->
SELECT stringBytesEntropy('Hello, world!')
---->
stringBytesUniq(s)
---->
SELECT stringBytesUniq('Hello')
---->
stringJaccardIndex(s1, s2)
---->
SELECT stringJaccardIndex('clickhouse', 'mouse')
---->
stringJaccardIndexUTF8(s1, s2)
---->
SELECT stringJaccardIndexUTF8('我爱你', '我也爱你') AS jaccard_index
---->
stringToH3(index_str)
---->
SELECT stringToH3('89184926cc3ffff') AS index
---->
structureToCapnProtoSchema(table_structure, message)
---->
SELECT structureToCapnProtoSchema('s String, x UInt32', 'MessageName') format TSVRaw
---->
structureToProtobufSchema(structure, message_name)
---->
SELECT structureToProtobufSchema('s String, x UInt32', 'MessageName') FORMAT TSVRaw
---->
studentTTest([confidence_level])(sample_data, sample_index)
---->
SELECT studentTTest(sample_data, sample_index) FROM student_ttest
---->
studentTTestOneSample([confidence_level])(sample_data, population_mean)
---->
SELECT studentTTestOneSample()(value, 20.0) FROM t
---->
SELECT studentTTestOneSample(0.95)(value, 20.0) FROM t
---->
subBitmap(bitmap, offset, cardinality_limit)
---->
SELECT bitmapToArray(subBitmap(bitmapBuild([1, 2, 3, 4, 5]), 2, 2)) AS res
---->
subDate(datetime, interval)
---->
SELECT subDate(toDate('2018-01-01'), INTERVAL 3 YEAR)
---->
SELECT 'database' AS db, substr(db, 5), substr(db, 5, 1)
---->
substringIndex(s, delim, count)
---->
SELECT substringIndex('www.clickhouse.com', '.', 2)
---->
substringIndexUTF8(s, delim, count)
---->
SELECT substringIndexUTF8('www.straßen-in-europa.de', '.', 2)
---->
SELECT 'Täglich grüßt das Murmeltier.' AS str, substringUTF8(str, 9), substringUTF8(str, 9, 5)
---->
subtractDays(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractDays(date, 31) AS subtract_days_with_date,
    subtractDays(date_time, 31) AS subtract_days_with_date_time,
    subtractDays(date_time_string, 31) AS subtract_days_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 day)
---->
subtractHours(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractHours(date, 12) AS subtract_hours_with_date,
    subtractHours(date_time, 12) AS subtract_hours_with_date_time,
    subtractHours(date_time_string, 12) AS subtract_hours_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 hour)
---->
subtractInterval(interval_1, interval_2)
---->
SELECT subtractInterval(INTERVAL 1 DAY, INTERVAL 1 MONTH)
---->
SELECT subtractInterval((INTERVAL 1 DAY, INTERVAL 1 YEAR), INTERVAL 1 MONTH)
---->
SELECT subtractInterval(INTERVAL 2 DAY, INTERVAL 1 DAY)
---->
subtractMicroseconds(datetime, num)
---->
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractMicroseconds(date_time, 1000000) AS subtract_microseconds_with_date_time,
    subtractMicroseconds(date_time_string, 1000000) AS subtract_microseconds_with_date_time_string
---->
SELECT dateSub('1998-06-16'::DateTime, INTERVAL 10 microsecond)
---->
subtractMilliseconds(datetime, num)
---->
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractMilliseconds(date_time, 1000) AS subtract_milliseconds_with_date_time,
    subtractMilliseconds(date_time_string, 1000) AS subtract_milliseconds_with_date_time_string
---->
SELECT dateSub('1998-06-16'::DateTime, INTERVAL 10 millisecond)
---->
subtractMinutes(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractMinutes(date, 30) AS subtract_minutes_with_date,
    subtractMinutes(date_time, 30) AS subtract_minutes_with_date_time,
    subtractMinutes(date_time_string, 30) AS subtract_minutes_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 minute)
---->
subtractMonths(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractMonths(date, 1) AS subtract_months_with_date,
    subtractMonths(date_time, 1) AS subtract_months_with_date_time,
    subtractMonths(date_time_string, 1) AS subtract_months_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 month)
---->
subtractNanoseconds(datetime, num)
---->
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractNanoseconds(date_time, 1000) AS subtract_nanoseconds_with_date_time,
    subtractNanoseconds(date_time_string, 1000) AS subtract_nanoseconds_with_date_time_string
---->
SELECT dateSub('1998-06-16'::DateTime, INTERVAL 10 nanosecond)
---->
subtractQuarters(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractQuarters(date, 1) AS subtract_quarters_with_date,
    subtractQuarters(date_time, 1) AS subtract_quarters_with_date_time,
    subtractQuarters(date_time_string, 1) AS subtract_quarters_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 quarter)
---->
subtractSeconds(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractSeconds(date, 60) AS subtract_seconds_with_date,
    subtractSeconds(date_time, 60) AS subtract_seconds_with_date_time,
    subtractSeconds(date_time_string, 60) AS subtract_seconds_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 second)
---->
subtractTupleOfIntervals(datetime, intervals)
---->
WITH toDate('2018-01-01') AS date SELECT subtractTupleOfIntervals(date, (INTERVAL 1 DAY, INTERVAL 1 YEAR))
---->
subtractWeeks(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractWeeks(date, 1) AS subtract_weeks_with_date,
    subtractWeeks(date_time, 1) AS subtract_weeks_with_date_time,
    subtractWeeks(date_time_string, 1) AS subtract_weeks_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 week)
---->
subtractYears(datetime, num)
---->
WITH
    toDate('2024-01-01') AS date,
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractYears(date, 1) AS subtract_years_with_date,
    subtractYears(date_time, 1) AS subtract_years_with_date_time,
    subtractYears(date_time_string, 1) AS subtract_years_with_date_time_string
---->
SELECT dateSub('1998-06-16'::Date, INTERVAL 10 year)
---->
sum(num)
---->
CREATE TABLE employees
(
    id UInt32,
    name String,
    salary UInt32
)
ENGINE = Memory
---->
INSERT INTO employees VALUES
    (87432, 'John Smith', 45680),
    (59018, 'Jane Smith', 72350),
    (20376, 'Ivan Ivanovich', 58900),
    (71245, 'Anastasia Ivanovna', 89210)
---->
SELECT sum(salary) FROM employees
---->
sumCount(x)
---->
CREATE TABLE s_table (x Int8) ENGINE = Log
---->
INSERT INTO s_table SELECT number FROM numbers(0, 20)
---->
INSERT INTO s_table VALUES (NULL)
---->
SELECT sumCount(x) FROM s_table
---->
sumKahan(x)
---->
SELECT sum(0.1), sumKahan(0.1) FROM numbers(10)
---->
CREATE TABLE sum_map(
    date Date,
    timeslot DateTime,
    statusMap Nested(
        status UInt8,
        requests UInt8
    ),
    statusMapTuple Tuple(Array(Int8), Array(Int8))
) ENGINE = Memory
---->
INSERT INTO sum_map VALUES
    ('2000-01-01', '2000-01-01 00:00:00', [1, 2, 3], [10, 10, 10], ([1, 2, 3], [10, 10, 10])),
    ('2000-01-01', '2000-01-01 00:00:00', [3, 4, 5], [10, 10, 10], ([3, 4, 5], [10, 10, 10])),
    ('2000-01-01', '2000-01-01 00:01:00', [4, 5, 6], [10, 10, 10], ([4, 5, 6], [10, 10, 10])),
    ('2000-01-01', '2000-01-01 00:01:00', [6, 7, 8], [10, 10, 10], ([6, 7, 8], [10, 10, 10]))
---->
SELECT
    timeslot,
    toTypeName(sumMap(statusMap.status, statusMap.requests)),
    toTypeName(sumMapWithOverflow(statusMap.status, statusMap.requests))
FROM sum_map
GROUP BY timeslot
---->
SELECT
    timeslot,
    toTypeName(sumMap(statusMapTuple)),
    toTypeName(sumMapWithOverflow(statusMapTuple))
FROM sum_map
GROUP BY timeslot
---->
CREATE TABLE sum_map(
    date Date,
    timeslot DateTime,
    statusMap Nested(
        status UInt16,
        requests UInt64
    ),
    statusMapTuple Tuple(Array(Int32), Array(Int32))
) ENGINE = Memory
---->
SELECT
    timeslot,
    sumMappedArrays(statusMap.status, statusMap.requests),
    sumMappedArrays(statusMapTuple)
FROM sum_map
GROUP BY timeslot
---->
CREATE TABLE multi_metrics(
    date Date,
    browser_metrics Nested(
        browser String,
        impressions UInt32,
        clicks UInt32
    )
)
ENGINE = Memory
---->
INSERT INTO multi_metrics VALUES
    ('2000-01-01', ['Firefox', 'Chrome'], [100, 200], [10, 25]),
    ('2000-01-01', ['Chrome', 'Safari'], [150, 50], [20, 5]),
    ('2000-01-01', ['Firefox', 'Edge'], [80, 40], [8, 4])
---->
SELECT
    sumMappedArrays(browser_metrics.browser, browser_metrics.impressions, browser_metrics.clicks) AS result
FROM multi_metrics
---->
sumWithOverflow(num)
---->
CREATE TABLE employees
(
    id UInt32,
    name String,
    monthly_salary UInt16 -- selected so that the sum of values produces an overflow
)
ENGINE = Memory
---->
INSERT INTO employees VALUES
    (1, 'John', 20000),
    (2, 'Jane', 18000),
    (3, 'Bob', 12000),
    (4, 'Alice', 10000),
    (5, 'Charlie', 8000)
---->
-- Query for the total amount of the employee salaries using the sum and sumWithOverflow functions and show their types using the toTypeName function
-- For the sum function the resulting type is UInt64, big enough to contain the sum, whilst for sumWithOverflow the resulting type remains as UInt16.

SELECT
    sum(monthly_salary) AS no_overflow,
    sumWithOverflow(monthly_salary) AS overflow,
    toTypeName(no_overflow),
    toTypeName(overflow)
FROM employees
---->
SELECT svg((0.0, 1.0))
---->
SELECT * FROM system.events WHERE event='QueryMemoryLimitExceeded'
---->
SET system_events_show_zero_values = 1
---->
tan(x)
---->
SELECT tan(0)
---->
tanh(x)
---->
SELECT tanh(0)
---->
tcpPort()
---->
SELECT tcpPort()
---->
tgamma(x)
---->
SELECT tgamma(5)
---->
theilsU(column1, column2)
---->
SELECT theilsU(a, b)
FROM (
    SELECT
        number % 10 AS a,
        number % 4 AS b
    FROM
        numbers(150)
)
---->
SELECT throwIf(number = 3, 'Too many') FROM numbers(10)
---->
tid()
---->
SELECT tid()
---->
timeDiff(startdate, enddate)
---->
SELECT timeDiff(toDateTime('2018-01-01 22:00:00'), toDateTime('2018-01-02 23:00:00')) AS res
---->
SELECT timeDiff(toDateTime('2018-01-01 22:00:00'), toDateTime('2018-01-02 23:00:00')) / 3600 AS hours
---->
SELECT
    timeDiff(toDateTime('2021-12-29'), toDateTime('2022-01-01')) AS time_diff_result,
    dateDiff('second', toDateTime('2021-12-29'), toDateTime('2022-01-01')) AS date_diff_result
---->
timeSeriesChangesToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
SET allow_experimental_time_series_aggregate_functions = 1
---->
WITH
    -- NOTE: the gap between 130 and 190 is to show how values are filled for ts = 180 according to window parameter
    [110, 120, 130, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 135 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT timeSeriesChangesToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 135 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesChangesToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesCopyTag(dest_group, src_group, tag_to_copy)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS dest_group,
       timeSeriesTagsToGroup([('code', '404'), ('message', 'Page not found')], '__name__', 'http_codes') AS src_group,
       timeSeriesCopyTag(dest_group, src_group, '__name__') AS result_group,
       timeSeriesGroupToTags(result_group)
---->
timeSeriesCopyTags(dest_group, src_group, tags_to_copy)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS dest_group,
       timeSeriesTagsToGroup([('code', '404'), ('message', 'Page not found')], '__name__', 'http_codes') AS src_group,
       timeSeriesCopyTags(dest_group, src_group, ['__name__', 'code', 'env']) AS result_group,
       timeSeriesGroupToTags(result_group)
---->
timeSeriesDeltaToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,      -- start of timestamp grid
    90 + 120 AS end_ts,  -- end of timestamp grid
    15 AS step_seconds,  -- step of timestamp grid
    45 AS window_seconds -- "staleness" window
SELECT timeSeriesDeltaToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
-- it is possible to pass multiple samples of timestamps and values as Arrays of equal size
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesDeltaToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesDerivToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 120 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT timeSeriesDerivToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesDerivToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesExtractTag(group)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesExtractTag(group, '__name__'),
       timeSeriesExtractTag(group, 'env'),
       timeSeriesExtractTag(group, 'instance')
---->
timeSeriesFromGrid(start_timestamp, end_timestamp, step, values)
---->
SELECT timeSeriesFromGrid('2025-06-01 00:00:00'::DateTime64(3), '2025-06-01 00:01:30.000'::DateTime64(3), 30, [10, 20, NULL, 30]) AS result
---->
timeSeriesGroupArray(timestamp, value)
---->
WITH
    [110, 120, 130, 140, 140, 100]::Array(UInt32) AS timestamps,
    [1, 6, 8, 17, 19, 5]::Array(Float32) AS values
SELECT timeSeriesGroupArray(timestamp, value)
FROM
(
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 140, 140, 100]::Array(UInt32) AS timestamps,
    [1, 6, 8, 17, 19, 5]::Array(Float32) AS values
SELECT timeSeriesGroupArray(timestamps, values)
---->
timeSeriesGroupToSamplingKey(group)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesGroupToSamplingKey(group) AS sampling_key
---->
timeSeriesGroupToTags(group)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesGroupToTags(group) AS sorted_tags,
       timeSeriesTagsToGroup(sorted_tags) AS same_group,
       throwIf(same_group != group)
---->
timeSeriesIdToGroup(id)
---->
SELECT 8374283493092 AS id,
       timeSeriesStoreTags(id, [('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS same_id,
       throwIf(same_id != id),
       timeSeriesIdToGroup(same_id) AS group,
       timeSeriesGroupToTags(group)
---->
timeSeriesIdToTags(id)
---->
SELECT 8374283493092 AS id,
       timeSeriesStoreTags(id, [('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS same_id,
       throwIf(same_id != id),
       timeSeriesIdToTags(same_id)
---->
timeSeriesIncreaseToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 120 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT timeSeriesIncreaseToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesIncreaseToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesInstantDeltaToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 120 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT timeSeriesInstantDeltaToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
-- it is possible to pass multiple samples of timestamps and values as Arrays of equal size
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesInstantDeltaToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesInstantRateToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 120 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT timeSeriesInstantRateToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
-- it is possible to pass multiple samples of timestamps and values as Arrays of equal size
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesInstantRateToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesJoinTags(group, dest_tag, separator, src_tags)
---->
SELECT timeSeriesTagsToGroup([('__name__', 'up'), ('job', 'api-server'), ('src1', 'a'), ('src2', 'b'), ('src3', 'c')]) AS group,
       timeSeriesJoinTags(group, 'foo', ',', ['src1', 'src2', 'src3']) AS result_group,
       timeSeriesGroupToTags(result_group)
---->
timeSeriesLastTwoSamples(timestamp, value)
---->
-- Table for raw data
CREATE TABLE t_raw_timeseries
(
    metric_id UInt64,
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD),
    value Float64 CODEC(DoubleDelta)
)
ENGINE = MergeTree()
ORDER BY (metric_id, timestamp)
---->
-- Table with data re-sampled to bigger (15 sec) time steps
CREATE TABLE t_resampled_timeseries_15_sec
(
    metric_id UInt64,
    grid_timestamp DateTime('UTC') CODEC(DoubleDelta, ZSTD), -- Timestamp aligned to 15 sec
    samples AggregateFunction(timeSeriesLastTwoSamples, DateTime64(3, 'UTC'), Float64)
)
ENGINE = AggregatingMergeTree()
ORDER BY (metric_id, grid_timestamp)
---->
-- MV for populating re-sampled table
CREATE MATERIALIZED VIEW mv_resampled_timeseries TO t_resampled_timeseries_15_sec
(
    metric_id UInt64,
    grid_timestamp DateTime('UTC') CODEC(DoubleDelta, ZSTD),
    samples AggregateFunction(timeSeriesLastTwoSamples, DateTime64(3, 'UTC'), Float64)
)
AS SELECT
    metric_id,
    ceil(toUnixTimestamp(timestamp + interval 999 millisecond) / 15, 0) * 15 AS grid_timestamp, -- Round timestamp up to the next grid point
    initializeAggregation('timeSeriesLastTwoSamplesState', timestamp, value) AS samples
FROM t_raw_timeseries
ORDER BY metric_id, grid_timestamp
---->
-- Insert some data
INSERT INTO t_raw_timeseries(metric_id, timestamp, value) SELECT number%10 AS metric_id, '2024-12-12 12:00:00'::DateTime64(3, 'UTC') + interval ((number/10)%100)*900 millisecond as timestamp, number%3+number%29 AS value FROM numbers(1000)
---->
-- Check raw data
SELECT *
FROM t_raw_timeseries
WHERE metric_id = 3 AND timestamp BETWEEN '2024-12-12 12:00:12' AND '2024-12-12 12:00:31'
ORDER BY metric_id, timestamp
---->
-- Check re-sampled data
SELECT metric_id, grid_timestamp, (finalizeAggregation(samples).1 as timestamp, finalizeAggregation(samples).2 as value)
FROM t_resampled_timeseries_15_sec
WHERE metric_id = 3 AND grid_timestamp BETWEEN '2024-12-12 12:00:15' AND '2024-12-12 12:00:30'
ORDER BY metric_id, grid_timestamp
---->
-- The aggregated table stores only last 2 values for each 15-second aligned timestamp.
-- This allows to calculate PromQL-like irate and idelta by reading much less data then is stored in the raw table.

WITH
    '2024-12-12 12:00:15'::DateTime64(3,'UTC') AS start_ts,       -- start of timestamp grid
    start_ts + INTERVAL 60 SECOND AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT
    metric_id,
    timeSeriesInstantDeltaToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value),
    timeSeriesInstantRateToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM t_raw_timeseries
WHERE metric_id = 3 AND timestamp BETWEEN start_ts - interval window_seconds seconds AND end_ts
GROUP BY metric_id
---->
WITH
    '2024-12-12 12:00:15'::DateTime64(3,'UTC') AS start_ts,       -- start of timestamp grid
    start_ts + INTERVAL 60 SECOND AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT
    metric_id,
    timeSeriesInstantDeltaToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values),
    timeSeriesInstantRateToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
FROM (
    SELECT
        metric_id,
        finalizeAggregation(samples).1 AS timestamps,
        finalizeAggregation(samples).2 AS values
    FROM t_resampled_timeseries_15_sec
    WHERE metric_id = 3 AND grid_timestamp BETWEEN start_ts - interval window_seconds seconds AND end_ts
)
GROUP BY metric_id
---->
CREATE TABLE db_name.time_series_table ENGINE=TimeSeries METRICS metrics_table
---->
CREATE TABLE db_name.time_series_table ENGINE=TimeSeries METRICS INNER UUID '01234567-89ab-cdef-0123-456789abcdef'
---->
SELECT * FROM timeSeriesMetrics(db_name.time_series_table)
---->
SELECT * FROM timeSeriesMetrics('db_name.time_series_table')
---->
SELECT * FROM timeSeriesMetrics('db_name', 'time_series_table')
---->
timeSeriesPredictLinearToGrid(start_timestamp, end_timestamp, grid_step, staleness, predict_offset)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 120 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds, -- "staleness" window
    60 AS predict_offset  -- prediction time offset
SELECT timeSeriesPredictLinearToGrid(start_ts, end_ts, step_seconds, window_seconds, predict_offset)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds,
    60 AS predict_offset
SELECT timeSeriesPredictLinearToGrid(start_ts, end_ts, step_seconds, window_seconds, predict_offset)(timestamps, values)
---->
timeSeriesRange(start_timestamp, end_timestamp, step)
---->
SELECT timeSeriesRange('2025-06-01 00:00:00'::DateTime64(3), '2025-06-01 00:01:00'::DateTime64(3), 30)
---->
timeSeriesRateToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 120 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT timeSeriesRateToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesRateToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesRemoveAllTagsExcept(group, tags_to_keep)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesRemoveAllTagsExcept(group, ['env']) AS result_group,
       timeSeriesGroupToTags(result_group)
---->
timeSeriesRemoveTag(group, tag_to_remove)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group_of_3,
       timeSeriesRemoveTag(group_of_3, '__name__') AS group_of_2,
       timeSeriesGroupToTags(group_of_2),
       timeSeriesRemoveTag(group_of_2, 'env') AS group_of_1,
       timeSeriesGroupToTags(group_of_1),
       timeSeriesRemoveTag(group_of_1, 'region') AS empty_group,
       timeSeriesGroupToTags(empty_group)
---->
timeSeriesRemoveTags(group, tags_to_remove)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group_of_3,
       timeSeriesRemoveTags(group_of_3, ['env', 'region']) AS group_of_1,
       timeSeriesGroupToTags(group_of_1),
       timeSeriesRemoveTags(group_of_1, ['__name__', 'nonexistent']) AS empty_group,
       timeSeriesGroupToTags(empty_group)
---->
timeSeriesReplaceTag(group, dest_tag, replacement, src_tag, regex)
---->
SELECT timeSeriesTagsToGroup([('__name__', 'up'), ('job', 'api-server'), ('service', 'a:c')]) AS group,
       timeSeriesReplaceTag(group, 'foo', '$1', 'service', '(.*):.*') AS result_group,
       timeSeriesGroupToTags(result_group)
---->
timeSeriesResampleToGridWithStaleness(start_timestamp, end_timestamp, grid_step, staleness_window)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 140 and 190 is to show how values are filled for ts = 150, 165, 180 according to staleness window parameter
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 120 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    30 AS window_seconds  -- "staleness" window
SELECT timeSeriesResampleToGridWithStaleness(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 140, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 1, 3, 4, 5, 5, 8, 12, 13]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 120 AS end_ts,
    15 AS step_seconds,
    30 AS window_seconds
SELECT timeSeriesResampleToGridWithStaleness(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
timeSeriesResetsToGrid(start_timestamp, end_timestamp, grid_step, staleness)(timestamp, value)
---->
WITH
    -- NOTE: the gap between 130 and 190 is to show how values are filled for ts = 180 according to window parameter
    [110, 120, 130, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 3, 2, 6, 6, 4, 2, 0]::Array(Float32) AS values, -- array of values corresponding to timestamps above
    90 AS start_ts,       -- start of timestamp grid
    90 + 135 AS end_ts,   -- end of timestamp grid
    15 AS step_seconds,   -- step of timestamp grid
    45 AS window_seconds  -- "staleness" window
SELECT timeSeriesResetsToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamp, value)
FROM
(
    -- This subquery converts arrays of timestamps and values into rows of `timestamp`, `value`
    SELECT
        arrayJoin(arrayZip(timestamps, values)) AS ts_and_val,
        ts_and_val.1 AS timestamp,
        ts_and_val.2 AS value
)
---->
WITH
    [110, 120, 130, 190, 200, 210, 220, 230]::Array(DateTime) AS timestamps,
    [1, 3, 2, 6, 6, 4, 2, 0]::Array(Float32) AS values,
    90 AS start_ts,
    90 + 135 AS end_ts,
    15 AS step_seconds,
    45 AS window_seconds
SELECT timeSeriesResetsToGrid(start_ts, end_ts, step_seconds, window_seconds)(timestamps, values)
---->
CREATE TABLE db_name.time_series_table ENGINE=TimeSeries SAMPLES samples_table
---->
CREATE TABLE db_name.time_series_table ENGINE=TimeSeries SAMPLES INNER UUID '01234567-89ab-cdef-0123-456789abcdef'
---->
SELECT * FROM timeSeriesSamples(db_name.time_series_table)
---->
SELECT * FROM timeSeriesSamples('db_name.time_series_table')
---->
SELECT * FROM timeSeriesSamples('db_name', 'time_series_table')
---->
SELECT * FROM timeSeriesSelector(mytable, 'http_requests{job="prometheus"}', now() - INTERVAL 10 MINUTES, now())
---->
SELECT 8374283493092 AS id,
       timeSeriesStoreTags(id, [('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS same_id,
       throwIf(same_id != id),
       timeSeriesIdToTags(same_id),
       timeSeriesGroupToTags(timeSeriesIdToGroup(same_id))
---->
CREATE TABLE db_name.time_series_table ENGINE=TimeSeries TAGS tags_table
---->
CREATE TABLE db_name.time_series_table ENGINE=TimeSeries TAGS INNER UUID '01234567-89ab-cdef-0123-456789abcdef'
---->
SELECT * FROM timeSeriesTags(db_name.time_series_table)
---->
SELECT * FROM timeSeriesTags('db_name.time_series_table')
---->
SELECT * FROM timeSeriesTags('db_name', 'time_series_table')
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group1,
       timeSeriesTagsToGroup([], '__name__', 'http_failures') AS group2,
       timeSeriesTagsToGroup([]) AS empty_group,
       timeSeriesTagsToGroup([], '__name__', 'http_failures') AS same_group2,
       throwIf(same_group2 != group2),
       timeSeriesGroupToTags(group2)
---->
timeSeriesThrowDuplicateSeriesIf(condition, group)
---->
CREATE TABLE test(tags Array(Tuple(String, String))) engine=Memory
---->
INSERT INTO test VALUES ([('__name__', 'up')])
---->
SELECT timeSeriesTagsToGroup(tags) AS group
FROM test
GROUP BY group
HAVING timeSeriesThrowDuplicateSeriesIf(count() > 1, group) = 0
---->
-- OK

INSERT INTO test VALUES ([('__name__', 'up')])
---->
SELECT timeSlot(toDateTime('2000-01-02 03:04:05', 'UTC'))
---->
SELECT timeSlots(toDateTime('2012-01-01 12:20:00'), toUInt32(600))
---->
SELECT timeSlots(toDateTime('1980-12-12 21:01:02', 'UTC'), toUInt32(600), 299)
---->
SELECT timeSlots(toDateTime64('1980-12-12 21:01:02.1234', 4, 'UTC'), toDecimal64(600.1, 1), toDecimal64(299, 0))
---->
SELECT timestamp('2023-12-31') AS ts
---->
SELECT timestamp('2023-12-31 12:00:00', '12:00:00.11') AS ts
---->
timezone()
---->
SELECT timezone()
---->
timezoneOf(datetime)
---->
SELECT timezoneOf(now())
---->
timezoneOffset(datetime)
---->
SELECT toDateTime('2021-04-21 10:20:30', 'America/New_York') AS Time,
toTypeName(Time) AS Type,
timezoneOffset(Time) AS Offset_in_seconds,
(Offset_in_seconds / 3600) AS Offset_in_hours
---->
toBFloat16(expr)
---->
SELECT
toBFloat16(toFloat32(42.7)),
toBFloat16(toFloat32('42.7')),
toBFloat16('42.7')
FORMAT Vertical
---->
toBFloat16OrNull(x)
---->
SELECT toBFloat16OrNull('0x5E'), -- unsupported arguments
       toBFloat16OrNull('12.3'), -- typical use
       toBFloat16OrNull('12.3456789') -- silent loss of precision
---->
toBFloat16OrZero(x)
---->
SELECT toBFloat16OrZero('0x5E'), -- unsupported arguments
       toBFloat16OrZero('12.3'), -- typical use
       toBFloat16OrZero('12.3456789') -- silent loss of precision
---->
toBool(expr)
---->
SELECT
    toBool(toUInt8(1)),
    toBool(toInt8(-1)),
    toBool(toFloat32(1.01)),
    toBool('true'),
    toBool('false'),
    toBool('FALSE')
FORMAT Vertical
---->
toColumnTypeName(value)
---->
SELECT toColumnTypeName(CAST('2025-01-01 01:02:03' AS DateTime))
---->
toDate(x)
---->
SELECT toDate('2025-04-15')
---->
SELECT toDate(toDateTime('2025-04-15 10:30:00'))
---->
SELECT toDate(20297)
---->
toDate32(expr)
---->
SELECT toDate32('2025-01-01') AS value, toTypeName(value)
FORMAT Vertical
---->
SELECT toDate32('1899-01-01') AS value, toTypeName(value)
FORMAT Vertical
---->
SELECT toDate32OrDefault('1930-01-01', toDate32('2020-01-01'))
---->
SELECT toDate32OrDefault('xx1930-01-01', toDate32('2020-01-01'))
---->
toDate32OrNull(x)
---->
SELECT toDate32OrNull('2025-01-01'), toDate32OrNull('invalid')
---->
toDate32OrZero(x)
---->
SELECT toDate32OrZero('2025-01-01'), toDate32OrZero('')
---->
SELECT toDateOrDefault('2022-12-30')
---->
SELECT toDateOrDefault('', CAST('2023-01-01', 'Date'))
---->
toDateOrNull(x)
---->
SELECT toDateOrNull('2025-12-30'), toDateOrNull('invalid')
---->
toDateOrZero(x)
---->
SELECT toDateOrZero('2025-12-30'), toDateOrZero('')
---->
SELECT toDateTime('2025-01-01 00:00:00'), toDateTime(1735689600, 'UTC')
FORMAT Vertical
---->
SELECT toDateTime64('2025-01-01 00:00:00.000', 3) AS value, toTypeName(value)
---->
SELECT toDateTime64(1735689600.000, 3) AS value, toTypeName(value)
---->
-- without the decimal point the value is still treated as Unix Timestamp in seconds
SELECT toDateTime64(1546300800000, 3) AS value, toTypeName(value)
---->
SELECT toDateTime64('2025-01-01 00:00:00', 3, 'Asia/Istanbul') AS value, toTypeName(value)
---->
SELECT toDateTime64(1546300800.000, 3) AS value, toTypeName(value)
---->
-- Without the decimal point the value is still treated as Unix Timestamp in seconds
SELECT toDateTime64(1546300800000, 3) AS value, toTypeName(value)
---->
SELECT toDateTime64OrDefault('1976-10-18 00:00:00.30', 3)
---->
SELECT toDateTime64OrDefault('1976-10-18 00:00:00 30', 3, 'UTC', toDateTime64('2001-01-01 00:00:00.00',3))
---->
SELECT toDateTime64OrNull('2025-12-30 13:44:17.123'), toDateTime64OrNull('invalid')
---->
toDateTime64OrZero(x)
---->
SELECT toDateTime64OrZero('2025-12-30 13:44:17.123'), toDateTime64OrZero('invalid')
---->
SELECT toDateTimeOrDefault('2022-12-30 13:44:17')
---->
SELECT toDateTimeOrDefault('', 'UTC', CAST('2023-01-01', 'DateTime(\'UTC\')'))
---->
SELECT toDateTimeOrNull('2025-12-30 13:44:17'), toDateTimeOrNull('invalid')
---->
SELECT toDateTimeOrNull(1583851242, 'Asia/Shanghai'), toDateTimeOrNull(4294967296)
---->
toDateTimeOrZero(x)
---->
SELECT toDateTimeOrZero('2025-12-30 13:44:17'), toDateTimeOrZero('invalid')
---->
toDayOfMonth(datetime)
---->
SELECT toDayOfMonth(toDateTime('2023-04-21 10:20:30'))
---->
-- The following date is April 21, 2023, which was a Friday:
SELECT
    toDayOfWeek(toDateTime('2023-04-21')),
    toDayOfWeek(toDateTime('2023-04-21'), 1)
---->
toDayOfYear(datetime)
---->
SELECT toDayOfYear(toDateTime('2023-04-21 10:20:30'))
---->
toDaysInMonth(datetime)
---->
SELECT toDaysInMonth(toDate('2023-02-01')), toDaysInMonth(toDate('2024-02-01')), toDaysInMonth(toDate('2023-01-01'))
---->
SELECT toDaysSinceYearZero(toDate('2023-09-08'))
---->
toDecimal128(expr, S)
---->
SELECT
    toDecimal128(99, 1) AS a, toTypeName(a) AS type_a,
    toDecimal128(99.67, 2) AS b, toTypeName(b) AS type_b,
    toDecimal128('99.67', 3) AS c, toTypeName(c) AS type_c
FORMAT Vertical
---->
SELECT toDecimal128OrDefault(toString(1/42), 18)
---->
SELECT toDecimal128OrDefault('Inf', 0, CAST('-1', 'Decimal128(0)'))
---->
toDecimal128OrNull(expr, S)
---->
SELECT toDecimal128OrNull('42.7', 2), toDecimal128OrNull('invalid', 2)
---->
toDecimal128OrZero(expr, S)
---->
SELECT toDecimal128OrZero('42.7', 2), toDecimal128OrZero('invalid', 2)
---->
toDecimal256(expr, S)
---->
SELECT
    toDecimal256(99, 1) AS a, toTypeName(a) AS type_a,
    toDecimal256(99.67, 2) AS b, toTypeName(b) AS type_b,
    toDecimal256('99.67', 3) AS c, toTypeName(c) AS type_c
FORMAT Vertical
---->
SELECT toDecimal256OrDefault(toString(1/42), 76)
---->
SELECT toDecimal256OrDefault('Inf', 0, CAST('-1', 'Decimal256(0)'))
---->
toDecimal256OrNull(expr, S)
---->
SELECT toDecimal256OrNull('42.7', 2), toDecimal256OrNull('invalid', 2)
---->
toDecimal256OrZero(expr, S)
---->
SELECT toDecimal256OrZero('42.7', 2), toDecimal256OrZero('invalid', 2)
---->
toDecimal32(expr, S)
---->
SELECT
    toDecimal32(2, 1) AS a, toTypeName(a) AS type_a,
    toDecimal32(4.2, 2) AS b, toTypeName(b) AS type_b,
    toDecimal32('4.2', 3) AS c, toTypeName(c) AS type_c
FORMAT Vertical
---->
SELECT toDecimal32OrDefault(toString(0.0001), 5)
---->
SELECT toDecimal32OrDefault('Inf', 0, CAST('-1', 'Decimal32(0)'))
---->
toDecimal32OrNull(expr, S)
---->
SELECT toDecimal32OrNull('42.7', 2), toDecimal32OrNull('invalid', 2)
---->
toDecimal32OrZero(expr, S)
---->
SELECT toDecimal32OrZero('42.7', 2), toDecimal32OrZero('invalid', 2)
---->
toDecimal64(expr, S)
---->
SELECT
    toDecimal64(2, 1) AS a, toTypeName(a) AS type_a,
    toDecimal64(4.2, 2) AS b, toTypeName(b) AS type_b,
    toDecimal64('4.2', 3) AS c, toTypeName(c) AS type_c
FORMAT Vertical
---->
SELECT toDecimal64OrDefault(toString(0.0001), 18)
---->
SELECT toDecimal64OrDefault('Inf', 0, CAST('-1', 'Decimal64(0)'))
---->
toDecimal64OrNull(expr, S)
---->
SELECT toDecimal64OrNull('42.7', 2), toDecimal64OrNull('invalid', 2)
---->
toDecimal64OrZero(expr, S)
---->
SELECT toDecimal64OrZero('42.7', 2), toDecimal64OrZero('invalid', 2)
---->
toDecimalString(number, scale)
---->
SELECT toDecimalString(2.1456, 2)
---->
SELECT toDecimalString(5, 3)
---->
SELECT toDecimalString(CAST(123.456 AS Decimal(10,3)), 2) AS decimal_val,
       toDecimalString(CAST(42.7 AS Float32), 4) AS float_val
---->
toFixedString(s, N)
---->
SELECT toFixedString('foo', 8) AS s
---->
toFloat32(expr)
---->
SELECT
    toFloat32(42.7),
    toFloat32('42.7'),
    toFloat32('NaN')
FORMAT Vertical
---->
SELECT toFloat32OrDefault('8', CAST('0', 'Float32'))
---->
SELECT toFloat32OrDefault('abc', CAST('0', 'Float32'))
---->
toFloat32OrNull(x)
---->
SELECT
    toFloat32OrNull('42.7'),
    toFloat32OrNull('NaN'),
    toFloat32OrNull('abc')
FORMAT Vertical
---->
toFloat32OrZero(x)
---->
SELECT
    toFloat32OrZero('42.7'),
    toFloat32OrZero('abc')
FORMAT Vertical
---->
toFloat64(expr)
---->
SELECT
    toFloat64(42.7),
    toFloat64('42.7'),
    toFloat64('NaN')
FORMAT Vertical
---->
SELECT toFloat64OrDefault('8', CAST('0', 'Float64'))
---->
SELECT toFloat64OrDefault('abc', CAST('0', 'Float64'))
---->
toFloat64OrNull(x)
---->
SELECT
    toFloat64OrNull('42.7'),
    toFloat64OrNull('NaN'),
    toFloat64OrNull('abc')
FORMAT Vertical
---->
toFloat64OrZero(x)
---->
SELECT
    toFloat64OrZero('42.7'),
    toFloat64OrZero('abc')
FORMAT Vertical
---->
toHour(datetime)
---->
SELECT toHour(toDateTime('2023-04-21 10:20:30'))
---->
toIPv4(x)
---->
SELECT toIPv4('171.225.130.45')
---->
WITH
    '171.225.130.45' AS IPv4_string
SELECT
    hex(IPv4StringToNum(IPv4_string)),
    hex(toIPv4(IPv4_string))
---->
SELECT toIPv4(2130706433)
---->
WITH
    '192.168.1.1' AS valid_IPv4_string,
    '999.999.999.999' AS invalid_IPv4_string,
    'not_an_ip' AS malformed_string
SELECT
    toIPv4OrDefault(valid_IPv4_string) AS valid,
    toIPv4OrDefault(invalid_IPv4_string) AS default_value,
    toIPv4OrDefault(malformed_string, toIPv4('8.8.8.8')) AS provided_default
---->
toIPv4OrNull(x)
---->
SELECT
    toIPv4OrNull('192.168.1.1') AS valid_ip,
    toIPv4OrNull('invalid.ip') AS invalid_ip
---->
toIPv4OrZero(x)
---->
SELECT
    toIPv4OrZero('192.168.1.1') AS valid_ip,
    toIPv4OrZero('invalid.ip') AS invalid_ip
---->
toIPv6(x)
---->
WITH '2001:438:ffff::407d:1bc1' AS IPv6_string
SELECT
    hex(IPv6StringToNum(IPv6_string)),
    hex(toIPv6(IPv6_string))
---->
SELECT toIPv6('127.0.0.1')
---->
WITH
    '2001:0db8:85a3:0000:0000:8a2e:0370:7334' AS valid_IPv6_string,
    '2001:0db8:85a3::8a2e:370g:7334' AS invalid_IPv6_string,
    'not_an_ipv6' AS malformed_string
SELECT
    toIPv6OrDefault(valid_IPv6_string) AS valid,
    toIPv6OrDefault(invalid_IPv6_string) AS default_value,
    toIPv6OrDefault(malformed_string, toIPv6('::1')) AS provided_default
---->
toIPv6OrNull(x)
---->
SELECT
    toIPv6OrNull('2001:0db8:85a3:0000:0000:8a2e:0370:7334') AS valid_ipv6,
    toIPv6OrNull('invalid::ip') AS invalid_ipv6
---->
toIPv6OrZero(x)
---->
SELECT
    toIPv6OrZero('2001:0db8:85a3:0000:0000:8a2e:0370:7334') AS valid_ipv6,
    toIPv6OrZero('invalid::ip') AS invalid_ipv6
---->
SELECT toDate('2016-12-27') AS date, toISOWeek(date) AS isoWeek
---->
SELECT toDate('2025-12-29') AS date, toISOWeek(date) AS isoWeek, toYear(date) AS year
---->
toISOYear(datetime)
---->
SELECT
toISOYear(toDate('2024/10/02')) as year1,
toISOYear(toDateTime('2024-10-02 01:30:00')) as year2
---->
toInt128(expr)
---->
SELECT
    toInt128(-128),
    toInt128(-128.8),
    toInt128('-128')
FORMAT Vertical
---->
SELECT toInt128OrDefault('-128', CAST('-1', 'Int128'))
---->
SELECT toInt128OrDefault('abc', CAST('-1', 'Int128'))
---->
toInt128OrNull(x)
---->
SELECT
    toInt128OrNull('-128'),
    toInt128OrNull('abc')
FORMAT Vertical
---->
toInt128OrZero(x)
---->
SELECT toInt128OrZero('123')
---->
SELECT toInt128OrZero('abc')
---->
toInt16(expr)
---->
SELECT
    toInt16(-16),
    toInt16(-16.16),
    toInt16('-16')
FORMAT Vertical
---->
SELECT toInt16OrDefault('-16', CAST('-1', 'Int16'))
---->
SELECT toInt16OrDefault('abc', CAST('-1', 'Int16'))
---->
toInt16OrNull(x)
---->
SELECT
    toInt16OrNull('-16'),
    toInt16OrNull('abc')
FORMAT Vertical
---->
toInt16OrZero(x)
---->
SELECT
    toInt16OrZero('16'),
    toInt16OrZero('abc')
FORMAT Vertical
---->
toInt256(expr)
---->
SELECT
    toInt256(-256),
    toInt256(-256.256),
    toInt256('-256')
FORMAT Vertical
---->
SELECT toInt256OrDefault('-256', CAST('-1', 'Int256'))
---->
SELECT toInt256OrDefault('abc', CAST('-1', 'Int256'))
---->
toInt256OrNull(x)
---->
SELECT
    toInt256OrNull('-256'),
    toInt256OrNull('abc')
FORMAT Vertical
---->
toInt256OrZero(x)
---->
SELECT toInt256OrZero('123')
---->
SELECT toInt256OrZero('abc')
---->
toInt32(expr)
---->
SELECT
    toInt32(-32),
    toInt32(-32.32),
    toInt32('-32')
FORMAT Vertical
---->
SELECT toInt32OrDefault('-32', CAST('-1', 'Int32'))
---->
SELECT toInt32OrDefault('abc', CAST('-1', 'Int32'))
---->
toInt32OrNull(x)
---->
SELECT
    toInt32OrNull('-32'),
    toInt32OrNull('abc')
FORMAT Vertical
---->
toInt32OrZero(x)
---->
SELECT
    toInt32OrZero('32'),
    toInt32OrZero('abc')
FORMAT Vertical
---->
toInt64(expr)
---->
SELECT
    toInt64(-64),
    toInt64(-64.64),
    toInt64('-64')
FORMAT Vertical
---->
SELECT toInt64OrDefault('-64', CAST('-1', 'Int64'))
---->
SELECT toInt64OrDefault('abc', CAST('-1', 'Int64'))
---->
toInt64OrNull(x)
---->
SELECT
    toInt64OrNull('-64'),
    toInt64OrNull('abc')
FORMAT Vertical
---->
toInt64OrZero(x)
---->
SELECT toInt64OrZero('123')
---->
SELECT toInt64OrZero('abc')
---->
toInt8(expr)
---->
SELECT
    toInt8(-8),
    toInt8(-8.8),
    toInt8('-8')
FORMAT Vertical
---->
SELECT toInt8OrDefault('-8', CAST('-1', 'Int8'))
---->
SELECT toInt8OrDefault('abc', CAST('-1', 'Int8'))
---->
toInt8OrNull(x)
---->
SELECT
    toInt8OrNull('-8'),
    toInt8OrNull('abc')
FORMAT Vertical
---->
toInt8OrZero(x)
---->
SELECT
    toInt8OrZero('8'),
    toInt8OrZero('abc')
FORMAT Vertical
---->
toInterval(value, unit)
---->
SELECT
    toInterval(5, 'second') AS seconds,
    toInterval(3, 'day') AS days,
    toInterval(2, 'month') AS months
---->
SELECT
    now() AS current_time,
    now() + toInterval(1, 'hour') AS one_hour_later,
    now() - toInterval(7, 'day') AS week_ago
---->
SELECT toDate('2025-01-01') + toInterval(number, 'day') AS dates
FROM numbers(5)
---->
toIntervalDay(n)
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalDay(5) AS interval_to_days
SELECT date + interval_to_days AS result
---->
toIntervalHour(n)
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalHour(12) AS interval_to_hours
SELECT date + interval_to_hours AS result
---->
toIntervalMicrosecond(n)
---->
WITH
    toDateTime('2025-06-15') AS date,
    toIntervalMicrosecond(30) AS interval_to_microseconds
SELECT date + interval_to_microseconds AS result
---->
toIntervalMillisecond(n)
---->
WITH
    toDateTime('2025-06-15') AS date,
    toIntervalMillisecond(30) AS interval_to_milliseconds
SELECT date + interval_to_milliseconds AS result
---->
toIntervalMinute(n)
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalMinute(12) AS interval_to_minutes
SELECT date + interval_to_minutes AS result
---->
toIntervalMonth(n)
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalMonth(1) AS interval_to_month
SELECT date + interval_to_month AS result
---->
toIntervalNanosecond(n)
---->
WITH
    toDateTime('2025-06-15') AS date,
    toIntervalNanosecond(30) AS interval_to_nanoseconds
SELECT date + interval_to_nanoseconds AS result
---->
toIntervalQuarter(n)
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalQuarter(1) AS interval_to_quarter
SELECT date + interval_to_quarter AS result
---->
toIntervalSecond(n)
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalSecond(30) AS interval_to_seconds
SELECT date + interval_to_seconds AS result
---->
toIntervalWeek(n)
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalWeek(1) AS interval_to_week
SELECT date + interval_to_week AS result
---->
toIntervalYear(n)
---->
WITH
    toDate('2024-06-15') AS date,
    toIntervalYear(1) AS interval_to_year
SELECT date + interval_to_year AS result
---->
toJSONString(value)
---->
SELECT toJSONString(map('key1', 1, 'key2', 2))
---->
SELECT toJSONString(tuple(1.25, NULL, NaN, +inf, -inf, [])) SETTINGS output_format_json_quote_denormals = 1
---->
toLastDayOfMonth(value)
---->
SELECT toLastDayOfMonth(toDateTime('2023-04-21 10:20:30'))
---->
SELECT
    toLastDayOfWeek(toDateTime('2023-04-21 10:20:30')), /* a Friday */
    toLastDayOfWeek(toDateTime('2023-04-21 10:20:30'), 1), /* a Friday */
    toLastDayOfWeek(toDate('2023-04-23')), /* a Sunday */
    toLastDayOfWeek(toDate('2023-04-23'), 1) /* a Sunday */
FORMAT Vertical
---->
toLowCardinality(expr)
---->
SELECT toLowCardinality('1')
---->
toMicrosecond(datetime)
---->
SELECT toMicrosecond(toDateTime64('2023-04-21 10:20:30.456789', 6))
---->
toMillisecond(datetime)
---->
SELECT toMillisecond(toDateTime64('2023-04-21 10:20:30.456', 3))
---->
toMinute(datetime)
---->
SELECT toMinute(toDateTime('2023-04-21 10:20:30'))
---->
toModifiedJulianDay(date)
---->
SELECT toModifiedJulianDay('2020-01-01')
---->
toModifiedJulianDayOrNull(date)
---->
SELECT toModifiedJulianDayOrNull('2020-01-01')
---->
SELECT toModifiedJulianDayOrNull('0000-00-00')
---->
toMonday(value)
---->
SELECT
toMonday(toDateTime('2023-04-21 10:20:30')), -- A Friday
toMonday(toDate('2023-04-24'))
---->
toMonth(datetime)
---->
SELECT toMonth(toDateTime('2023-04-21 10:20:30'))
---->
toMonthNumSinceEpoch(date)
---->
SELECT toMonthNumSinceEpoch(toDate('2024-10-01'))
---->
toNanosecond(datetime)
---->
SELECT toNanosecond(toDateTime64('2023-04-21 10:20:30.123456789', 9))
---->
toNullable(x)
---->
SELECT toTypeName(10), toTypeName(toNullable(10))
---->
toQuarter(datetime)
---->
SELECT toQuarter(toDateTime('2023-04-21 10:20:30'))
---->
toRelativeDayNum(date)
---->
SELECT toRelativeDayNum(toDate('2023-04-01')) - toRelativeDayNum(toDate('2023-01-01'))
---->
toRelativeHourNum(date)
---->
SELECT toRelativeHourNum(toDateTime('2023-01-01 12:00:00')) - toRelativeHourNum(toDateTime('2023-01-01 00:00:00')) AS hours_difference
---->
toRelativeMinuteNum(date)
---->
SELECT toRelativeMinuteNum(toDateTime('2023-01-01 00:30:00')) - toRelativeMinuteNum(toDateTime('2023-01-01 00:00:00')) AS minutes_difference
---->
toRelativeMonthNum(date)
---->
SELECT toRelativeMonthNum(toDate('2023-04-01')) - toRelativeMonthNum(toDate('2023-01-01')) AS months_difference
---->
toRelativeQuarterNum(date)
---->
SELECT toRelativeQuarterNum(toDate('2023-04-01')) - toRelativeQuarterNum(toDate('2023-01-01')) AS quarters_difference
---->
toRelativeSecondNum(date)
---->
SELECT toRelativeSecondNum(toDateTime('2023-01-01 00:01:00')) - toRelativeSecondNum(toDateTime('2023-01-01 00:00:00')) AS seconds_difference
---->
toRelativeWeekNum(date)
---->
SELECT toRelativeWeekNum(toDate('2023-01-08')) - toRelativeWeekNum(toDate('2023-01-01')) AS weeks_difference
---->
toRelativeYearNum(date)
---->
SELECT toRelativeYearNum('2010-10-01'::DateTime) - toRelativeYearNum('2000-01-01'::DateTime)
---->
toSecond(datetime)
---->
SELECT toSecond(toDateTime('2023-04-21 10:20:30'))
---->
toStartOfDay(datetime)
---->
SELECT toStartOfDay(toDateTime('2023-04-21 10:20:30'))
---->
toStartOfFifteenMinutes(datetime)
---->
SELECT
    toStartOfFifteenMinutes(toDateTime('2023-04-21 10:17:00')),
    toStartOfFifteenMinutes(toDateTime('2023-04-21 10:20:00')),
    toStartOfFifteenMinutes(toDateTime('2023-04-21 10:23:00'))
FORMAT Vertical
---->
toStartOfFiveMinutes(datetime)
---->
SELECT
    toStartOfFiveMinutes(toDateTime('2023-04-21 10:17:00')),
    toStartOfFiveMinutes(toDateTime('2023-04-21 10:20:00')),
    toStartOfFiveMinutes(toDateTime('2023-04-21 10:23:00'))
FORMAT Vertical
---->
toStartOfHour(datetime)
---->
SELECT
    toStartOfHour(toDateTime('2023-04-21 10:20:30'))
---->
toStartOfISOYear(value)
---->
SELECT toStartOfISOYear(toDateTime('2023-04-21 10:20:30'))
---->
SELECT toStartOfInterval(toDateTime('2023-01-15 14:30:00'), INTERVAL 1 MONTH)
---->
SELECT toStartOfInterval(toDateTime('2023-01-01 14:45:00'), INTERVAL 1 MINUTE, toDateTime('2023-01-01 14:35:30'))
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfMicrosecond(dt64)
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfMicrosecond(dt64, 'Asia/Istanbul')
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfMillisecond(dt64)
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfMillisecond(dt64, 'Asia/Istanbul')
---->
toStartOfMinute(datetime)
---->
SELECT
    toStartOfMinute(toDateTime('2023-04-21 10:20:30')),
    toStartOfMinute(toDateTime64('2023-04-21 10:20:30.5300', 8))
FORMAT Vertical
---->
toStartOfMonth(value)
---->
SELECT toStartOfMonth(toDateTime('2023-04-21 10:20:30'))
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfNanosecond(dt64)
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfNanosecond(dt64, 'Asia/Istanbul')
---->
toStartOfQuarter(value)
---->
SELECT toStartOfQuarter(toDateTime('2023-04-21 10:20:30'))
---->
WITH toDateTime64('2020-01-01 10:20:30.999', 3) AS dt64
SELECT toStartOfSecond(dt64)
---->
WITH toDateTime64('2020-01-01 10:20:30.999', 3) AS dt64
SELECT toStartOfSecond(dt64, 'Asia/Istanbul')
---->
toStartOfTenMinutes(datetime)
---->
SELECT
    toStartOfTenMinutes(toDateTime('2023-04-21 10:17:00')),
    toStartOfTenMinutes(toDateTime('2023-04-21 10:20:00')),
    toStartOfTenMinutes(toDateTime('2023-04-21 10:23:00'))
FORMAT Vertical
---->
SELECT
        toStartOfWeek(toDateTime('2023-04-21 10:20:30')), /* a Friday */
        toStartOfWeek(toDateTime('2023-04-21 10:20:30'), 1), /* a Friday */
        toStartOfWeek(toDate('2023-04-24')), /* a Monday */
        toStartOfWeek(toDate('2023-04-24'), 1) /* a Monday */
    FORMAT Vertical
---->
toStartOfYear(value)
---->
SELECT toStartOfYear(toDateTime('2023-04-21 10:20:30'))
---->
SELECT
    now() AS ts,
    time_zone,
    toString(ts, time_zone) AS str_tz_datetime
FROM system.time_zones
WHERE time_zone LIKE 'Europe%'
LIMIT 10
---->
toStringCutToZero(s)
---->
SELECT
    toStringCutToZero('hello'),
    toStringCutToZero('hello\0world')
---->
toTime(x)
---->
SELECT toTime(toDateTime64('2025-04-15 14:30:25.123', 3))
---->
SELECT toTime(toDateTime('2025-04-15 14:30:25'))
---->
SELECT toTime(toDateTime(52225, 'UTC'))
---->
toTime64(x, scale)
---->
SELECT toTime64('14:30:25.123456', 6)
---->
SELECT toTime64(toDateTime64('2025-04-15 14:30:25.123456', 6), 6)
---->
SELECT toTime64(52225.123456, 6)
---->
toTime64OrNull(x)
---->
SELECT toTime64OrNull('12:30:45.123'), toTime64OrNull('invalid')
---->
toTime64OrZero(x)
---->
SELECT toTime64OrZero('12:30:45.123'), toTime64OrZero('invalid')
---->
toTimeOrNull(x)
---->
SELECT toTimeOrNull('12:30:45'), toTimeOrNull('invalid')
---->
toTimeOrZero(x)
---->
SELECT toTimeOrZero('12:30:45'), toTimeOrZero('invalid')
---->
SELECT toTimeWithFixedDate('2025-06-15 12:00:00'::DateTime) - toTimeWithFixedDate('2024-05-10 11:00:00'::DateTime) AS result, toTypeName(result)
---->
toTimezone(datetime, timezone)
---->
SELECT toDateTime('2019-01-01 00:00:00', 'UTC') AS time_utc,
toTypeName(time_utc) AS type_utc,
toInt32(time_utc) AS int32utc,
toTimezone(time_utc, 'Asia/Yekaterinburg') AS time_yekat,
toTypeName(time_yekat) AS type_yekat,
toInt32(time_yekat) AS int32yekat,
toTimezone(time_utc, 'US/Samoa') AS time_samoa,
toTypeName(time_samoa) AS type_samoa,
toInt32(time_samoa) AS int32samoa
FORMAT Vertical
---->
toTypeName(x)
---->
SELECT toTypeName(123)
---->
toUInt128(expr)
---->
SELECT
    toUInt128(128),
    toUInt128(128.8),
    toUInt128('128')
FORMAT Vertical
---->
SELECT toUInt128OrDefault('128', CAST('0', 'UInt128'))
---->
SELECT toUInt128OrDefault('abc', CAST('0', 'UInt128'))
---->
toUInt128OrNull(x)
---->
SELECT
    toUInt128OrNull('128'),
    toUInt128OrNull('abc')
FORMAT Vertical
---->
toUInt128OrZero(x)
---->
SELECT
    toUInt128OrZero('128'),
    toUInt128OrZero('abc')
FORMAT Vertical
---->
toUInt16(expr)
---->
SELECT
    toUInt16(16),
    toUInt16(16.16),
    toUInt16('16')
FORMAT Vertical
---->
SELECT toUInt16OrDefault('16', CAST('0', 'UInt16'))
---->
SELECT toUInt16OrDefault('abc', CAST('0', 'UInt16'))
---->
toUInt16OrNull(x)
---->
SELECT
    toUInt16OrNull('16'),
    toUInt16OrNull('abc')
FORMAT Vertical
---->
toUInt16OrZero(x)
---->
SELECT
    toUInt16OrZero('16'),
    toUInt16OrZero('abc')
FORMAT Vertical
---->
toUInt256(expr)
---->
SELECT
    toUInt256(256),
    toUInt256(256.256),
    toUInt256('256')
FORMAT Vertical
---->
SELECT toUInt256OrDefault('-256', CAST('0', 'UInt256'))
---->
SELECT toUInt256OrDefault('abc', CAST('0', 'UInt256'))
---->
toUInt256OrNull(x)
---->
SELECT
    toUInt256OrNull('256'),
    toUInt256OrNull('abc')
FORMAT Vertical
---->
toUInt256OrZero(x)
---->
SELECT
    toUInt256OrZero('256'),
    toUInt256OrZero('abc')
FORMAT Vertical
---->
toUInt32(expr)
---->
SELECT
    toUInt32(32),
    toUInt32(32.32),
    toUInt32('32')
FORMAT Vertical
---->
SELECT toUInt32OrDefault('32', CAST('0', 'UInt32'))
---->
SELECT toUInt32OrDefault('abc', CAST('0', 'UInt32'))
---->
toUInt32OrNull(x)
---->
SELECT
    toUInt32OrNull('32'),
    toUInt32OrNull('abc')
FORMAT Vertical
---->
toUInt32OrZero(x)
---->
SELECT
    toUInt32OrZero('32'),
    toUInt32OrZero('abc')
FORMAT Vertical
---->
toUInt64(expr)
---->
SELECT
    toUInt64(64),
    toUInt64(64.64),
    toUInt64('64')
FORMAT Vertical
---->
SELECT toUInt64OrDefault('64', CAST('0', 'UInt64'))
---->
SELECT toUInt64OrDefault('abc', CAST('0', 'UInt64'))
---->
toUInt64OrNull(x)
---->
SELECT
    toUInt64OrNull('64'),
    toUInt64OrNull('abc')
FORMAT Vertical
---->
toUInt64OrZero(x)
---->
SELECT
    toUInt64OrZero('64'),
    toUInt64OrZero('abc')
FORMAT Vertical
---->
toUInt8(expr)
---->
SELECT
    toUInt8(8),
    toUInt8(8.8),
    toUInt8('8')
FORMAT Vertical
---->
SELECT toUInt8OrDefault('8', CAST('0', 'UInt8'))
---->
SELECT toUInt8OrDefault('abc', CAST('0', 'UInt8'))
---->
toUInt8OrNull(x)
---->
SELECT
    toUInt8OrNull('42'),
    toUInt8OrNull('abc')
FORMAT Vertical
---->
toUInt8OrZero(x)
---->
SELECT
    toUInt8OrZero('-8'),
    toUInt8OrZero('abc')
FORMAT Vertical
---->
toUTCTimestamp(datetime, time_zone)
---->
SELECT toUTCTimestamp(toDateTime('2023-03-16'), 'Asia/Shanghai')
---->
toUUID(string)
---->
SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS uuid
---->
toUUIDOrDefault(string, default)
---->
SELECT toUUIDOrDefault('61f0c404-5cb3-11e7-907b-a6006ad3dba0', toUUID('59f0c404-5cb3-11e7-907b-a6006ad3dba0'))
---->
SELECT toUUIDOrDefault('-----61f0c404-5cb3-11e7-907b-a6006ad3dba0', toUUID('59f0c404-5cb3-11e7-907b-a6006ad3dba0'))
---->
toUUIDOrNull(x)
---->
SELECT
    toUUIDOrNull('550e8400-e29b-41d4-a716-446655440000') AS valid_uuid,
    toUUIDOrNull('invalid-uuid') AS invalid_uuid
---->
toUUIDOrZero(x)
---->
SELECT
    toUUIDOrZero('550e8400-e29b-41d4-a716-446655440000') AS valid_uuid,
    toUUIDOrZero('invalid-uuid') AS invalid_uuid
---->
SELECT
'2017-11-05 08:07:47' AS dt_str,
toUnixTimestamp(dt_str) AS from_str,
toUnixTimestamp(dt_str, 'Asia/Tokyo') AS from_str_tokyo,
toUnixTimestamp(toDateTime(dt_str)) AS from_datetime,
toUnixTimestamp(toDateTime64(dt_str, 0)) AS from_datetime64,
toUnixTimestamp(toDate(dt_str)) AS from_date,
toUnixTimestamp(toDate32(dt_str)) AS from_date32
FORMAT Vertical
---->
toUnixTimestamp64Micro(value)
---->
WITH toDateTime64('2025-02-13 23:31:31.011123', 6, 'UTC') AS dt64
SELECT toUnixTimestamp64Micro(dt64)
---->
toUnixTimestamp64Milli(value)
---->
WITH toDateTime64('2025-02-13 23:31:31.011', 3, 'UTC') AS dt64
SELECT toUnixTimestamp64Milli(dt64)
---->
toUnixTimestamp64Nano(value)
---->
WITH toDateTime64('2025-02-13 23:31:31.011123456', 9, 'UTC') AS dt64
SELECT toUnixTimestamp64Nano(dt64)
---->
toUnixTimestamp64Second(value)
---->
WITH toDateTime64('2025-02-13 23:31:31.011', 3, 'UTC') AS dt64
SELECT toUnixTimestamp64Second(dt64)
---->
toValidUTF8(s)
---->
SELECT toValidUTF8('\\x61\\xF0\\x80\\x80\\x80b')
---->
SELECT toDate('2016-12-27') AS date, toWeek(date) AS week0, toWeek(date,1) AS week1, toWeek(date,9) AS week9
---->
SELECT toYYYYMM(now(), 'US/Eastern')
---->
SELECT toYYYYMMDD(now(), 'US/Eastern')
---->
SELECT toYYYYMMDDhhmmss(now(), 'US/Eastern')
---->
toYear(datetime)
---->
SELECT toYear(toDateTime('2023-04-21 10:20:30'))
---->
toYearNumSinceEpoch(date)
---->
SELECT toYearNumSinceEpoch(toDate('2024-10-01'))
---->
SELECT toDate('2016-12-27') AS date, toYearWeek(date) AS yearWeek0, toYearWeek(date,1) AS yearWeek1, toYearWeek(date,9) AS yearWeek9, toYearWeek(toDate('2022-01-01')) AS prev_yearWeek
---->
today()
---->
SELECT today() AS today, curdate() AS curdate, current_date() AS current_date FORMAT Pretty
---->
SELECT TODAY, CURDATE,CURRENT_DATE
---->
tokenizeQuery(query)
---->
SELECT tokenizeQuery('SELECT 1')
---->
SELECT tokens('test1,;\\\\ test2,;\\\\ test3,;\\\\   test4') AS tokens
---->
SELECT tokens('abc def', 'ngrams', 3) AS tokens
---->
SELECT tokensForLikePattern('%test1,test2,test3%') AS tokens
---->
SELECT topK(3)(AirlineID) AS res
FROM ontime
---->
SELECT topKWeighted(2)(k, w) FROM
VALUES('k Char, w UInt64', ('y', 1), ('y', 1), ('x', 5), ('y', 1), ('z', 10))
---->
SELECT topKWeighted(2, 10, 'counts')(k, w)
FROM VALUES('k Char, w UInt64', ('y', 1), ('y', 1), ('x', 5), ('y', 1), ('z', 10))
---->
topLevelDomain(url)
---->
SELECT topLevelDomain('svn+ssh://www.some.svn-hosting.com:80/repo/trunk')
---->
topLevelDomainRFC(url)
---->
SELECT topLevelDomain('http://foo:foo%41bar@foo.com'), topLevelDomainRFC('http://foo:foo%41bar@foo.com')
---->
transactionID()
---->
BEGIN TRANSACTION
---->
SELECT transactionID()
---->
ROLLBACK
---->
transactionLatestSnapshot()
---->
SELECT transactionLatestSnapshot()
---->
transactionOldestSnapshot()
---->
SELECT transactionOldestSnapshot()
---->
SELECT
transform(SearchEngineID, [2, 3], ['Yandex', 'Google'], 'Other') AS title,
count() AS c
FROM test.hits
WHERE SearchEngineID != 0
GROUP BY title
ORDER BY c DESC
---->
SELECT
transform(domain(Referer), ['yandex.ru', 'google.ru', 'vkontakte.ru'], ['www.yandex', 'example.com', 'vk.com']) AS s, count() AS c
FROM test.hits
GROUP BY domain(Referer)
ORDER BY count() DESC
LIMIT 10
---->
SELECT idx, i FROM null_in WHERE i IN (1, NULL) SETTINGS transform_null_in = 0
---->
SELECT idx, i FROM null_in WHERE i IN (1, NULL) SETTINGS transform_null_in = 1
---->
translate(s, from, to)
---->
SELECT translate('Hello, World!', 'delor', 'DELOR') AS res
---->
SELECT translate('clickhouse', 'clickhouse', 'CLICK') AS res
---->
translateUTF8(s, from, to)
---->
SELECT translateUTF8('Münchener Straße', 'üß', 'us') AS res
---->
SELECT trimBoth('$$ClickHouse$$', '$')
---->
SELECT trimLeft('ClickHouse', 'Click')
---->
SELECT trimRight('ClickHouse','House')
---->
SELECT truncate(123.499, 1) AS res
---->
tryBase32Decode(encoded)
---->
SELECT tryBase32Decode('IVXGG33EMVSA====')
---->
SELECT tryBase58Decode('3dc8KtHrwM') AS res, tryBase58Decode('invalid') AS res_invalid
---->
tryBase64Decode(encoded)
---->
SELECT tryBase64Decode('Y2xpY2tob3VzZQ==')
---->
tryBase64URLDecode(encoded)
---->
SELECT tryBase64URLDecode('aHR0cHM6Ly9jbGlja2hvdXNlLmNvbQ')
---->
-- Let's create a table where user_id is the unique user id, encrypted is an encrypted string field, iv is an initial vector for decrypt/encrypt.
-- Assume that users know their id and the key to decrypt the encrypted field:
CREATE TABLE decrypt_null
(
    dt DateTime,
    user_id UInt32,
    encrypted String,
    iv String
)
ENGINE = MergeTree
---->
-- Insert some data:
INSERT INTO decrypt_null VALUES
('2022-08-02 00:00:00', 1, encrypt('aes-256-gcm', 'value1', 'keykeykeykeykeykeykeykeykeykey01', 'iv1'), 'iv1'),
('2022-09-02 00:00:00', 2, encrypt('aes-256-gcm', 'value2', 'keykeykeykeykeykeykeykeykeykey02', 'iv2'), 'iv2'),
('2022-09-02 00:00:01', 3, encrypt('aes-256-gcm', 'value3', 'keykeykeykeykeykeykeykeykeykey03', 'iv3'), 'iv3')
---->
-- Try decrypt with one key
SELECT
    dt,
    user_id,
    tryDecrypt('aes-256-gcm', encrypted, 'keykeykeykeykeykeykeykeykeykey02', iv) AS value
FROM decrypt_null
ORDER BY user_id ASC
---->
SELECT tumble(now(), toIntervalDay('1'))
---->
SELECT tumbleEnd(now(), toIntervalDay('1'))
---->
SELECT tumbleStart(now(), toIntervalDay('1'))
---->
SELECT tuple(1, 2)
---->
SELECT tupleConcat((1, 2), ('a',), (true, false))
---->
SELECT tupleDivide((1, 2), (2, 3))
---->
SELECT tupleDivide((100.0, 60.0), (5.0, 3.0), (2.0, 4.0))
---->
tupleDivideByNumber(tuple, number)
---->
SELECT tupleDivideByNumber((1, 2), 0.5)
---->
SELECT tupleElement((1, 'hello'), 2)
---->
SELECT tupleElement((1, 'hello'), -1)
---->
CREATE TABLE example (values Tuple(name String, age UInt32)) ENGINE = Memory
---->
INSERT INTO example VALUES (('Alice', 30))
---->
SELECT tupleElement(values, 'name') FROM example
---->
SELECT tupleElement((1, 2), 5, 'not_found')
---->
SELECT (1, 'hello').2
---->
SELECT
    toTypeName(tupleHammingDistance(tuple(0), tuple(0))) AS t1,
    toTypeName(tupleHammingDistance((0, 0), (0, 0))) AS t2,
    toTypeName(tupleHammingDistance((0, 0, 0), (0, 0, 0))) AS t3,
    toTypeName(tupleHammingDistance((0, 0, 0, 0), (0, 0, 0, 0))) AS t4,
    toTypeName(tupleHammingDistance((0, 0, 0, 0, 0), (0, 0, 0, 0, 0))) AS t5
---->
tupleHammingDistance(t1, t2)
---->
SELECT tupleHammingDistance((1, 2, 3), (3, 2, 1))
---->
SELECT tupleHammingDistance(wordShingleMinHash(string), wordShingleMinHashCaseInsensitive(string)) FROM (SELECT 'ClickHouse is a column-oriented database management system for online analytical processing of queries.' AS string)
---->
SELECT tupleIntDiv((15, 10, 5), (5, 5, 5))
---->
SELECT tupleIntDiv((15, 10, 5), (5.5, 5.5, 5.5))
---->
SELECT tupleIntDiv((120, 60), (4, 3), (2, 4))
---->
tupleIntDivByNumber(tuple_num, div)
---->
SELECT tupleIntDivByNumber((15, 10, 5), 5)
---->
SELECT tupleIntDivByNumber((15.2, 10.7, 5.5), 5.8)
---->
SELECT tupleIntDivOrZero((5, 10, 15), (0, 0, 0))
---->
SELECT tupleIntDivOrZero((120, 60), (4, 3), (2, 4))
---->
tupleIntDivOrZeroByNumber(tuple_num, div)
---->
SELECT tupleIntDivOrZeroByNumber((15, 10, 5), 5)
---->
SELECT tupleIntDivOrZeroByNumber((15, 10, 5), 0)
---->
SELECT tupleMinus((1, 2), (2, 3))
---->
SELECT tupleMinus((10, 10), (3, 4), (2, 1))
---->
SELECT tupleModulo((15, 10, 5), (5, 3, 2))
---->
SELECT tupleModulo((10, 20), (7, 9), (3, 5))
---->
tupleModuloByNumber(tuple_num, div)
---->
SELECT tupleModuloByNumber((15, 10, 5), 2)
---->
SELECT tupleMultiply((1, 2), (2, 3))
---->
SELECT tupleMultiply((1, 2), (2, 3), (1, 2))
---->
tupleMultiplyByNumber(tuple, number)
---->
SELECT tupleMultiplyByNumber((1, 2), -2.1)
---->
tupleNames(tuple)
---->
SELECT tupleNames(tuple(1 as a, 2 as b))
---->
tupleNegate(t)
---->
SELECT tupleNegate((1, 2))
---->
SELECT tuplePlus((1, 2), (2, 3))
---->
SELECT tuplePlus((1, 2), (2, 3), (3, 4))
---->
tuplePositiveModuloByNumber(tuple_num, div)
---->
SELECT tuplePositiveModuloByNumber((15, 10, 5), 2)
---->
tupleToNameValuePairs(tuple)
---->
SELECT tupleToNameValuePairs(tuple(1593 AS user_ID, 2502 AS session_ID))
---->
SELECT tupleToNameValuePairs(tuple(3, 2, 1))
---->
unbin(arg)
---->
SELECT UNBIN('001100000011000100110010'), UNBIN('0100110101111001010100110101000101001100')
---->
SELECT reinterpretAsUInt64(reverse(unbin('1110'))) AS num
---->
unhex(arg)
---->
SELECT unhex('303132'), UNHEX('4D7953514C')
---->
SELECT reinterpretAsUInt64(reverse(unhex('FFF'))) AS num
---->
CREATE TABLE example_table (
    id UInt32,
    category String,
    value Float64
) ENGINE = Memory
---->
INSERT INTO example_table VALUES
(1, 'A', 10.5),
(2, 'B', 20.3),
(3, 'A', 15.7),
(4, 'C', 8.9),
(5, 'B', 12.1),
(6, 'A', 18.4)
---->
SELECT uniq(category) as unique_categories
FROM example_table
---->
SELECT uniq(category, value) as unique_combinations
FROM example_table
---->
SELECT uniqCombined(number) FROM numbers(1e6)
---->
SELECT uniqCombined(15)(number) FROM numbers(1e5)
---->
SELECT uniqCombined64(number) FROM numbers(1e10)
---->
-- uniqCombined64 with large dataset
SELECT uniqCombined64(number) FROM numbers(1e10)
---->
-- uniqCombined with same dataset shows poor approximation
SELECT uniqCombined(number) FROM numbers(1e10)
---->
CREATE TABLE example_data
(
    id UInt32,
    category String
)
ENGINE = Memory
---->
INSERT INTO example_data VALUES
(1, 'A'), (2, 'B'), (3, 'A'), (4, 'C'), (5, 'B'), (6, 'A')
---->
SELECT uniqExact(category) as exact_unique_categories
FROM example_data
---->
SELECT uniqExact(id, category) as exact_unique_combinations
FROM example_data
---->
CREATE TABLE example_hll
(
    id UInt32,
    category String
)
ENGINE = Memory
---->
INSERT INTO example_hll VALUES
(1, 'A'), (2, 'B'), (3, 'A'), (4, 'C'), (5, 'B'), (6, 'A')
---->
SELECT uniqHLL12(category) AS hll_unique_categories
FROM example_hll
---->
upper(s)
---->
SELECT upper('clickhouse')
---->
upperUTF8(s)
---->
SELECT upperUTF8('München') AS Upperutf8
---->
uptime()
---->
SELECT uptime() AS Uptime
---->
SELECT * FROM url('http://127.0.0.1:12345/', CSV, 'column1 String, column2 UInt32', headers('Accept'='text/csv; charset=utf-8')) LIMIT 3
---->
CREATE TABLE test_table (column1 String, column2 UInt32) ENGINE=Memory
---->
INSERT INTO FUNCTION url('http://127.0.0.1:8123/?query=INSERT+INTO+test_table+FORMAT+CSV', 'CSV', 'column1 String, column2 UInt32') VALUES ('http interface', 42)
---->
SELECT * FROM url('file://data.csv', CSV, 'a UInt32, b String')
---->
SELECT * FROM url('s3://clickhouse-public-datasets/hits_compatible/hits.csv')
---->
SELECT count()
FROM url('https://ftp.gnu.org/gnu/wget/wget-1.21*.tar.gz', 'RawBLOB')
SETTINGS max_threads = 1, allow_experimental_url_wildcard_from_index_pages = 1
---->
SELECT * FROM url('http://data/path/date=*/country=*/code=*/*.parquet') WHERE date > '2020-01-01' AND country = 'Netherlands' AND code = 42
---->
SET url_base = 'https://raw.githubusercontent.com/ClickHouse/ClickHouse/master/'
---->
SELECT * FROM url('tests/queries/0_stateless/data_csv/data.csv', CSV) LIMIT 3
---->
urlCluster(cluster_name, URL, format, structure)
---->
SELECT * FROM urlCluster('cluster_simple','http://127.0.0.1:12345', CSV, 'column1 String, column2 UInt32')
---->
SELECT * FROM t WHERE (a = 1 AND b >= 1) OR (a = 2 AND b > 10) OR (a = 3 AND b > 10)
---->
SELECT toTypeName(if(number % 2, number, range(number))) as variant_type FROM numbers(1)
---->
SELECT toTypeName(multiIf((number % 4) = 0, 42, (number % 4) = 1, [1, 2, 3], (number % 4) = 2, 'Hello, World!', NULL)) AS variant_type FROM numbers(1)
---->
SELECT toTypeName(array(range(number), number, 'str_' || toString(number))) as array_of_variants_type from numbers(1)
---->
SELECT toTypeName(map('a', range(number), 'b', number, 'c', 'str_' || toString(number))) as map_of_variants_type from numbers(1)
---->
SELECT *
FROM VALUES(
    'person String, place String',
    ('Noah', 'Paris'),
    ('Emma', 'Tokyo'),
    ('Liam', 'Sydney'),
    ('Olivia', 'Berlin'),
    ('Ilya', 'London'),
    ('Sophia', 'London'),
    ('Jackson', 'Madrid'),
    ('Alexey', 'Amsterdam'),
    ('Mason', 'Venice'),
    ('Isabella', 'Prague')
)
---->
SELECT *
FROM VALUES(
    'person String',
    'Noah',
    'Emma',
    'Liam',
    'Olivia',
    'Ilya',
    'Sophia',
    'Jackson',
    'Alexey',
    'Mason',
    'Isabella'
)
---->
-- tuples as values
SELECT *
FROM VALUES(
    ('Noah', 'Paris'),
    ('Emma', 'Tokyo'),
    ('Liam', 'Sydney'),
    ('Olivia', 'Berlin'),
    ('Ilya', 'London'),
    ('Sophia', 'London'),
    ('Jackson', 'Madrid'),
    ('Alexey', 'Amsterdam'),
    ('Mason', 'Venice'),
    ('Isabella', 'Prague')
)
---->
-- single values
SELECT *
FROM VALUES(
    'Noah',
    'Emma',
    'Liam',
    'Olivia',
    'Ilya',
    'Sophia',
    'Jackson',
    'Alexey',
    'Mason',
    'Isabella'
)
---->
SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) AS t(id, val)
---->
WITH cte AS (SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS t(id, name))
SELECT * FROM cte
---->
SELECT t1.id, t1.val, t2.val2
FROM (VALUES (1, 'a'), (2, 'b')) AS t1(id, val)
JOIN (VALUES (1, 'x'), (2, 'y')) AS t2(id, val2) ON t1.id = t2.id
---->
varPop(x)
---->
CREATE TABLE test_data
(
    x UInt8,
)
ENGINE = Memory
---->
INSERT INTO test_data VALUES (3), (3), (3), (4), (4), (5), (5), (7), (11), (15)
---->
SELECT
    varPop(x) AS var_pop
FROM test_data
---->
varPopStable(x)
---->
SELECT
    varPopStable(x) AS var_pop_stable
FROM test_data
---->
varSamp(x)
---->
CREATE TABLE test_data
(
    x Float64
)
ENGINE = Memory
---->
INSERT INTO test_data VALUES (10.5), (12.3), (9.8), (11.2), (10.7)
---->
SELECT round(varSamp(x),3) AS var_samp FROM test_data
---->
varSampStable(x)
---->
SELECT round(varSampStable(x),3) AS var_samp_stable FROM test_data
---->
variantType(variant)
---->
version()
---->
SELECT version()
---->
view(subquery)
---->
SELECT * FROM view(SELECT name FROM months)
---->
SELECT * FROM remote(`127.0.0.1`, view(SELECT a, b, c FROM table_name))
---->
SELECT * FROM cluster(`cluster_name`, view(SELECT a, b, c FROM table_name))
---->
SELECT explain FROM (EXPLAIN AST SELECT * FROM system.numbers) WHERE explain LIKE '%Asterisk%'
---->
visibleWidth(x)
---->
SELECT visibleWidth(NULL)
---->
disk(type = web, endpoint = 'https://.../')
---->
welchTTest([confidence_level])(sample_data, sample_index)
---->
CREATE TABLE welch_ttest (sample_data Float64, sample_index UInt8) ENGINE = Memory
---->
INSERT INTO welch_ttest VALUES (20.3, 0), (22.1, 0), (21.9, 0), (18.9, 1), (20.3, 1), (19, 1)
---->
SELECT welchTTest(sample_data, sample_index) FROM welch_ttest
---->
SELECT welchTTest(0.95)(sample_data, sample_index) FROM welch_ttest
---->
widthBucket(operand, low, high, count)
---->
widthBucket(10.15, -8.6, 23, 18)
---->
SELECT windowID(now(), toIntervalDay('1'))
---->
wkb(geometry)
---->
CREATE TABLE IF NOT EXISTS geom1 (a Point) ENGINE = Memory()
---->
INSERT INTO geom1 VALUES((0, 0))
---->
SELECT hex(wkb(a)) FROM geom1
---->
wkt(geometry)
---->
SELECT wkt((0.0, 1.0))
---->
SELECT wordShingleMinHash('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Tuple
---->
SELECT wordShingleMinHashArg('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).', 1, 3) AS Tuple
---->
SELECT wordShingleMinHashArgCaseInsensitive('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).', 1, 3) AS Tuple
---->
SELECT wordShingleMinHashArgCaseInsensitiveUTF8('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).', 1, 3) AS Tuple
---->
SELECT wordShingleMinHashArgUTF8('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).', 1, 3) AS Tuple
---->
SELECT wordShingleMinHashCaseInsensitive('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Tuple
---->
SELECT wordShingleMinHashCaseInsensitiveUTF8('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Tuple
---->
SELECT wordShingleMinHashUTF8('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Tuple
---->
SELECT wordShingleSimHash('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Hash
---->
SELECT wordShingleSimHashCaseInsensitive('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Hash
---->
SELECT wordShingleSimHashCaseInsensitiveUTF8('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Hash
---->
SELECT wordShingleSimHashUTF8('ClickHouse® is a column-oriented database management system (DBMS) for online analytical processing of queries (OLAP).') AS Hash
---->
wyHash64(arg)
---->
SELECT wyHash64('ClickHouse') AS Hash
---->
SELECT xor(0, 1, 1)
---->
xxHash32(arg)
---->
SELECT xxHash32('Hello, world!')
---->
xxHash64(arg)
---->
SELECT xxHash64('Hello, world!')
---->
xxHash64Spark(arg)
---->
SELECT xxHash64Spark('ABC')
---->
xxh3(expr)
---->
SELECT xxh3('ClickHouse')
---->
xxh3_128(expr)
---->
SELECT hex(xxh3_128('ClickHouse'))
---->
yesterday()
---->
SELECT yesterday()
---->
SELECT today() - 1
---->
ytsaurus(http_proxy_url, cypress_path, oauth_token, format)
---->
SELECT * FROM zeros(10)
---->
SELECT * FROM system.zeros LIMIT 10
---->
SELECT * FROM zeros_mt(10)
---->
SELECT * FROM system.zeros_mt LIMIT 10
---->
SELECT count() FROM zeros(100000000) WHERE NOT ignore(randomPrintableASCII(10))
---->
zookeeperSessionUptime()
---->
SELECT zookeeperSessionUptime()
---->
