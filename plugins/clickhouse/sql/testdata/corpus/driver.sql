INSERT INTO t (a, b)VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) FORMAT Native
---->
insert into table_name (col1, col2) values (1, 2)
---->
insert into table_name (col1, col2) FORMAT Native
---->
INSERT INTO "db"."table_name" (
						col1,
						col2
					) Values (
						1,
						2
					)
					format JSONEachRow
---->
INSERT INTO "db"."table_name" (
						col1,
						col2
					) FORMAT Native
---->
INSERT INTO table_name (
						col1,
						col2
					) VALUES (
						1,
						2
					)
---->
INSERT INTO table_name (
						col1,
						col2
					) FORMAT Native
---->
INSERT INTO table_name (col1, col2) VALUES (
						1,
						2
					)
---->
INSERT INTO table_name (
						col1,
						col2
					) VALUES (1, 2)
---->
INSERT INTO `db`.`table_name` (col1, col2) VALUES (1, 2)
---->
INSERT INTO `db`.`table_name` (col1, col2) FORMAT Native
---->
INSERT INTO "db"."table_name" (col1, col2) VALUES (1, 2)
---->
INSERT INTO "db"."table_name" (col1, col2) FORMAT Native
---->
INSERT INTO `_test_1345# $.ДБ`.`2. Таблица №2` FORMAT Native
---->
INSERT INTO `_test_1345# $.ДБ`.`2. Таблица №2` (col1, col2) FORMAT Native
---->
INSERT INTO `_test_1345# $.ДБ`.`2. Таблица №2` (col1, col2) VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) VALUES (1, 2) FORMAT Native
---->
INSERT INTO table_name FORMAT Native
---->
INSERT INTO table_name format Native
---->
INSERT INTO table_name FORMAT JSONEachRow
---->
INSERT INTO `table_name` VALUES (1, 2)
---->
INSERT INTO `table_name` FORMAT Native
---->
SELECT * FROM table_name
---->
INSERT INTO `table_name` (`col1`.`nested1`, `col1`.`nested2`) VALUES ((1, 2), (1, 2))
---->
INSERT INTO `table_name` (`col1`.`nested1`, `col1`.`nested2`) FORMAT Native
---->
INSERT INTO table_name (col1, col2) -- columns comment
VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) #! columns comment
VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) # columns comment
VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) VALUES (1, 2) -- end comment
---->
INSERT INTO table_name (col1, col2) VALUES (1, 2) #! end comment
---->
INSERT INTO table_name (col1, col2) VALUES (1, 2) # end comment
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 VALUES
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1, wait_for_async_insert=0 VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1, wait_for_async_insert=0 FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert = 1, wait_for_async_insert = 0 VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert = 1, wait_for_async_insert = 0 FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS format_csv_delimiter='=', log_comment='a, b' VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS format_csv_delimiter='=', log_comment='a, b' FORMAT Native
---->
INSERT INTO table_name SETTINGS async_insert=1 FORMAT Native
---->
INSERT INTO table_name (col1, col2) settings async_insert=1 VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) settings async_insert=1 FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 FORMAT JSONEachRow
---->
INSERT INTO table_name (col1, settings) VALUES (1, 2)
---->
INSERT INTO table_name (col1, settings) FORMAT Native
---->
INSERT INTO settings (col1, col2) VALUES (1, 2)
---->
INSERT INTO settings (col1, col2) FORMAT Native
---->
INSERT INTO table_name (
						col1,
						settings
					) VALUES (1, 2)
---->
INSERT INTO table_name (
						col1,
						settings
					) FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 -- end comment
VALUES
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 VALUES; -- end comment
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a -- b # c' FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a\'b' FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a /* b */ c' FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a''b -- c' FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a VALUES' FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 values (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 Values (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 VALUES(1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 VALUES (
	1,
	2
)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 values (1, 'a -- b')
---->
INSERT INTO table_name SETTINGS async_insert=1 values (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS values_of_test=1 FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 /* end comment */VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS async_insert=1 /* end comment */VALUES
---->
INSERT INTO table_name (col1, /* note */ col2) VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a VALUES b' FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='see FORMAT Native' FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a VALUES b' VALUES (1, 2)
---->
INSERT INTO values (col1, col2) VALUES (1, 2)
---->
INSERT INTO values (col1, col2) FORMAT Native
---->
INSERT INTO table_name (col1, values) VALUES (1, 2)
---->
INSERT INTO table_name (col1, values) FORMAT Native
---->
INSERT INTO table_name (col1, format) VALUES (1, 2)
---->
INSERT INTO table_name (col1, format) FORMAT Native
---->
INSERT INTO format (col1, col2) VALUES (1, 2)
---->
INSERT INTO format (col1, col2) FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment=$$don't VALUES$$ VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment=$$don't VALUES$$ FORMAT Native
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment=$tag$a -- b$tag$ FORMAT Native
---->
INSERT INTO table_name (col1, col2) FORMAT JSONEachRow
---->
INSERT INTO table_name (col1, col2)VALUES (1, 2)
---->
INSERT INTO table_name (col1, col2)FORMAT JSONEachRow
---->
INSERT INTO table_name (col1, col2) SETTINGS log_comment='a;b' FORMAT Native
---->
INSERT INTO table_name (col1, col2)VALUES (1, 'a SETTINGS async_insert=1')
---->
INSERT INTO table_name (col1, col2) FORMAT CSV
1,'a SETTINGS async_insert=1'
---->
INSERT INTO table_name (col1, `SETTINGS async_insert=1`) VALUES (1, 2)
---->
INSERT INTO table_name (col1, `SETTINGS async_insert=1`) FORMAT Native
---->
INSERT INTO mysettings (col1, col2) VALUES (1, 2)
---->
INSERT INTO mysettings (col1, col2) FORMAT Native
---->
INSERT INTO my_table (col1, `my_weird,col2`, col3) VALUES (1, 2, 3)
---->
INSERT INTO my_table (col1, `my_weird,col2`, col3) FORMAT Native
---->
INSERT INTO my_table (col1, "my_weird,col2", col3) VALUES (1, 2, 3)
---->
INSERT INTO my_table (col1, "my_weird,col2", col3) FORMAT Native
---->
DROP TABLE IF EXISTS go_json_bench
---->
CREATE TABLE go_json_bench (obj JSON) ENGINE=Null
---->
CREATE TABLE go_json_bench (obj JSON) ENGINE=Memory
---->
SELECT obj FROM go_json_bench
---->
SELECT
	number
	, randomString(25)
	, array(1, 2, 3, 4, 5)
	, now()
FROM system.numbers LIMIT 1000000
---->
SELECT toString(number) FROM numbers(500000000)
---->
CREATE TABLE benchmark (
	  Col1 UInt64
	, Col2 String
	, Col3 Array(UInt8)
	, Col4 DateTime
) Engine Null
---->
DROP TABLE IF EXISTS benchmark
---->
CREATE TABLE benchmark_async (
	  Col1 UInt64
	, Col2 String
	, Col3 Array(UInt8)
	, Col4 DateTime
) Engine Null
---->
DROP TABLE IF EXISTS benchmark_async
---->
SELECT * FROM t WHERE col = $5
		AND col2 = $2
		AND col3 = $1
		AND col4 = $3
		AND col5 = $4
---->
SELECT $1
---->
SELECT 1
---->
SELECT $2 $1
---->
SELECT x where col = 'blah?' AND col2 = 'a'
---->
SELECT `field\?` WHERE id = 42
---->
SELECT "field\?" WHERE id = 42
---->
SELECT * FROM (SELECT '1' AS `field?`) WHERE `field?` = '1'
---->
SELECT * FROM t WHERE name = 'foo?bar' AND id = 42
---->
SELECT * FROM t WHERE "field?" = 'value'
---->
SELECT 'it''s ? ok' WHERE id = 42
---->
SELECT '$1', $1
---->
SELECT '$1', 42
---->
SELECT `$1`, $1
---->
SELECT `$1`, 'value'
---->
SELECT "$1", $1
---->
SELECT "$1", 1
---->
SELECT 'it''s $1 ok', $1
---->
SELECT 'it''s $1 ok', 42
---->
SELECT '?', $1
---->
SELECT '?', 42
---->
SELECT `$1?`, 'value'
---->
SELECT "$1?", $1
---->
SELECT "$1?", 'value'
---->
SELECT 1 FROM t -- comment ?
WHERE x = 2
---->
SELECT 1 # comment ?
WHERE x = 2
---->
SELECT 1 /* ? ignored */, 2
---->
SELECT 1 /* a /* ? */ ? */, 2
---->
SELECT 1 -- \?
---->
SELECT `a\?b`, 42
---->
SELECT "a\?b", 42
---->
SELECT 'a?b', 42
---->
SELECT $1 -- $2
, $1
---->
SELECT 42 -- $2
, 42
---->
SELECT $1 /* $2 */
---->
SELECT 42 /* $2 */
---->
SELECT `col@x`, 42
---->
SELECT 'literal @name', 7
---->
SELECT "col@x", 7
---->
SELECT 7 -- @ignored
---->
SELECT 7 # @ignored
---->
SELECT 7 /* @ignored */
---->
SELECT {d:DateTime}
---->
SELECT {p:Nullable(String)}
---->
SELECT {p:String}
---->
SELECT {p:Time}
---->
SELECT [toInt128('1'), toInt128('-2')]
---->
SELECT [toUInt256('1'), toUInt256('115792089237316195423570985008687907853269984665640564039457584007913129639935')]
---->
SELECT [toInt256('-1'), toInt256('57896044618658097711785492504343953926634992332820282019728792003956564819967')]
---->
SELECT [toInt128('-1'), toUInt256('115792089237316195423570985008687907853269984665640564039457584007913129639935')]
---->
SELECT (toInt128('1'), 'x')
---->
SELECT map('k', toInt128('1'))
---->
SELECT NULL
---->
SELECT 42
---->
SELECT '42'
---->
SELECT '42.42'
---->
SELECT {v:Int128}
---->
SELECT toTime('14:30:00')
---->
SELECT '00:00:01.25'
---->
SELECT '00:00:00'
---->
SELECT '-00:01:30'
---->
SELECT 'A\0B'
---->
SELECT 'a\'b\\c'
---->
SELECT ''
---->
SELECT [[120], [121]]
---->
SELECT ([120], 1)
---->
SELECT map(1, [2, 3])
---->
SELECT ['00:00:01', '00:00:02.5']
---->
SELECT map('a', '00:00:01.123')
---->
SELECT displayName(), version(), revision(), timezone()
---->
SELECT 1 FORMAT JSONEachRow
---->
SELECT 1 format csv
---->
SELECT * FROM t
FORMAT   Parquet
---->
SELECT 1 SETTINGS max_threads=1 FORMAT CSV
---->
SELECT 1 FORMAT CSV
---->
SELECT 'FORMAT CSV'
---->
SELECT * FROM t WHERE c = 'end FORMAT JSON'
---->
SELECT 1 AS myformat
---->
SELECT format FROM t
---->
SELECT concat('a','FORMAT CSV') AS x
---->
SELECT * FROM t ORDER BY format ASC
---->
SELECT * FROM t ORDER BY format DESC
---->
SELECT * FROM t ORDER BY a, format desc
---->
INSERT t
---->
SELECT * FROM non_existent_table
---->
DROP TABLE example
---->
DROP TABLE IF EXISTS example
---->
CREATE TABLE example (
			  Col1 UInt64
			, Col2 String
			, Col3 Array(UInt8)
			, Col4 DateTime
		) Engine = Memory
---->
CREATE TABLE IF NOT EXISTS example (
			  Col1 Array(String)
			, Col2 Array(Array(Int64))
		) Engine = Memory
---->
SELECT * FROM example
---->
CREATE TABLE example (
			  Col1 UInt64
			, Col2 String
			, Col3 Array(UInt8)
			, Col4 DateTime
		) ENGINE = Memory
---->
INSERT INTO example VALUES (
				?, ?, ?, now()
			)
---->
CREATE TABLE IF NOT EXISTS example (
			  Col1 UInt8
			, Col2 String
			, Col3 FixedString(3)
			, Col4 UUID
			, Col5 Map(String, UInt8)
			, Col6 Array(String)
			, Col7 Tuple(String, UInt8, Array(Map(String, String)))
			, Col8 DateTime
		) Engine = Memory
---->
CREATE TABLE IF NOT EXISTS example (
			Col1 UInt64,
			Col2 String
		) engine=Memory
---->
SELECT COUNT(*) FROM example
---->
CREATE TABLE example (
			  Col1 BFloat16,
			  Col2 Nullable(BFloat16)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE example (
			Col1 Int128, 
			Col2 UInt128, 
			Col3 Array(Int128), 
			Col4 Int256, 
			Col5 Array(Int256), 
			Col6 UInt256, 
			Col7 Array(UInt256)
		) Engine Memory
---->
CREATE TABLE IF NOT EXISTS example (
			Col1 UInt32,
			Col2 String,
			Col3 DateTime
		) engine=Memory
---->
SELECT count() FROM example WHERE Col1 <= $2 AND Col3 > $1
---->
CREATE TABLE IF NOT EXISTS example (
			Col1 UInt32,
			Col2 String,
			Col3 DateTime64(9),
			Col4 Array(UInt32),
			Col5 UInt32
		) engine=Memory
---->
CREATE TABLE example (
			  Col1 Array(String)
		) Engine Memory
---->
SELECT getSetting('async_insert')
---->
SELECT sleep(3)
---->
DROP QUOTA IF EXISTS foobar
---->
CREATE QUOTA IF NOT EXISTS foobar KEYED BY client_key FOR INTERVAL 1 minute MAX queries = 5 TO default
---->
SELECT number FROM numbers(10)
---->
CREATE TABLE IF NOT EXISTS example (
			  Col1 String,
			  Col2 Enum ('hello'   = 1,  'world' = 2)
		) Engine = Memory
---->
CREATE TABLE example (
			Col1 Decimal32(3), 
			Col2 Decimal(18,6), 
			Col3 Decimal(15,7), 
			Col4 Decimal128(8), 
			Col5 Decimal256(9)
		) Engine Memory
---->
DROP TABLE IF EXISTS go_dynamic_example
---->
CREATE TABLE go_dynamic_example (
		    c Dynamic
		) ENGINE = Memory
---->
SELECT c FROM go_dynamic_example
---->
SELECT
		   1     AS Col1
		, 'Text' AS Col2
---->
CREATE OR REPLACE TABLE test
	(
		id UInt64,
		unhexed String EPHEMERAL,
		hexed FixedString(4) DEFAULT unhex(unhexed)
	)
	ENGINE = MergeTree
	ORDER BY id
---->
INSERT INTO test (id, unhexed) VALUES (1, '5a90b714')
---->
SELECT
		id,
		hexed,
		hex(hexed)
	FROM test
---->
CREATE TABLE IF NOT EXISTS example (
			Col1 UInt8,
			Col2 String
		) engine=Memory
---->
INSERT INTO example VALUES (1, 'test-1')
---->
SELECT * FROM external_table_1
---->
SELECT COUNT(*) FROM external_table_1
---->
SELECT COUNT(*) FROM external_table_2
---->
SELECT COUNT(*) FROM (SELECT * FROM external_table_1 UNION ALL SELECT * FROM external_table_2)
---->
DROP TABLE IF EXISTS example_format_csv
---->
CREATE TABLE example_format_csv (
			  id    Int64
			, name  String
			, score Float64
		) Engine = Memory
---->
DROP TABLE IF EXISTS example_format_json
---->
CREATE TABLE example_format_json (
			  event   String
			, user_id UInt64
			, payload Nullable(String)
		) Engine = Memory
---->
SELECT event, user_id, payload FROM example_format_json ORDER BY user_id, event
---->
DROP TABLE IF EXISTS example_format_parquet
---->
SELECT number AS id, concat('user-', toString(number)) AS name FROM numbers(1000)
---->
CREATE TABLE example_format_parquet (
			  id   UInt64
			, name String
		) Engine = Memory
---->
SELECT count() FROM example_format_parquet
---->
CREATE TABLE example (
				point Point,
				ring Ring,
				lineString LineString,
				polygon Polygon,
				mPolygon MultiPolygon,
				mLineString MultiLineString
			)
			Engine Memory
---->
DROP TABLE IF EXISTS go_json_example
---->
CREATE TABLE go_json_example (product JSON) ENGINE=Memory
---->
SELECT product FROM go_json_example
---->
CREATE TABLE example (
			  Col1 Map(String, UInt64)
			, Col2 Map(String, Array(String))
			, Col3 Map(String, Map(String,UInt64))
		) Engine Memory
---->
CREATE TABLE example (
			  Col1 Map(String, String)
		) Engine Memory
---->
CREATE TABLE example (
			Col1 Nested(Col1_1 String, Col1_2 UInt8),
			Col2 Nested(
			  	Col2_1 UInt8, 
				Col2_2 Nested(
					Col2_2_1 UInt8, 
					Col2_2_2 UInt8
				)
			)
		) Engine Memory
---->
CREATE TABLE example (
				col1 Nullable(String),
				col2 String,
				col3 Nullable(Int8),
				col4 Nullable(Int64)
			) 
			Engine Memory
---->
SELECT COUNT() FROM (SELECT number FROM system.numbers LIMIT 5)
---->
SELECT number from numbers(1000000) LIMIT 1000000
---->
CREATE TABLE example (
			  id UInt32,
			  embedding QBit(Float32, 128)
		) Engine MergeTree() ORDER BY id
---->
SELECT id, embedding FROM example ORDER BY id
---->
DROP TABLE IF EXISTS example_subcolumns
---->
CREATE TABLE example_subcolumns (
			  id UInt8,
			  vec QBit(Float32, 4)
		) Engine MergeTree() ORDER BY id
---->
SELECT
			id,
			vec,
			bin(vec.1) as sign_bits,
			bin(vec.2) as exponent_bit1,
			bin(vec.9) as exponent_bit8
		FROM example_subcolumns
		ORDER BY id
---->
SELECT
			{column:Identifier},
			{str:String},
			{array:Array(String)},
			{escaped_raw:String},
			{escaped_interpreted:String},
			{literal_backslash:String}
		FROM {database:Identifier}.{table:Identifier}
		LIMIT 1 OFFSET 100
---->
SELECT {control:String}, {tab:String}, {backslash:String}
---->
CREATE TABLE example (
			  Col1 UInt8
			, Col2 String
			, Col3 FixedString(3)
			, Col4 UUID
			, Col5 Map(String, UInt8)
			, Col6 Array(String)
			, Col7 Tuple(String, UInt8, Array(Map(String, String)))
			, Col8 DateTime
		) Engine = Memory
---->
CREATE TABLE IF NOT EXISTS example (
			Col1 UInt8,
			Col2 String,
			Col3 DateTime
		) engine=Memory
---->
SELECT Col1, Col2, Col3 FROM example WHERE Col1 >= 2
---->
CREATE TABLE example (
		  Col1 Int64
		, Col2 FixedString(2)
		, Col3 Map(String, Int64)
		, Col4 Array(Int64)
		, Col5 DateTime64(3)
	) Engine Memory
---->
SELECT Col1, COUNT() AS count FROM example WHERE Col1 = 5 GROUP BY Col1
---->
SELECT Col1, Col2, Col3 FROM example
---->
CREATE TABLE example (
				Col1 Tuple(name String, age UInt8),
				Col2 Tuple(String, UInt8),
				Col3 Tuple(name String, id String)
			) 
			Engine Memory
---->
CREATE TABLE IF NOT EXISTS example (
			  Col1 DateTime64(3)
		) Engine = Memory
---->
CREATE TABLE example (
				col1 UUID,
				col2 UUID
			) 
			Engine Memory
---->
DROP TABLE IF EXISTS go_variant_example
---->
CREATE TABLE go_variant_example (
		    c Variant(Bool, Int64,  String)
		) ENGINE = Memory
---->
SELECT c FROM go_variant_example
---->
INSERT INTO example VALUES (?, ?, ?, ?)
---->
CREATE TABLE example (
		  Col1 UInt8
		, Col2 String
		, Col3 DateTime
	) ENGINE = Memory
---->
SELECT * FROM example WHERE Col1 = $1 AND Col3 = $2
---->
CREATE TABLE example (
			  Col1 Array(String)
			, Col2 UInt64
		) Engine Memory
---->
SELECT sleepEachRow(1), number FROM numbers(100)
---->
SET allow_experimental_dynamic_type = 1
---->
SET output_format_native_use_flattened_dynamic_and_json_serialization = 1
---->
DROP TABLE go_dynamic_example
---->
SET allow_experimental_json_type = 1
---->
DROP TABLE go_json_example
---->
CREATE TABLE go_json_example (
		    product JSON
		) ENGINE = Memory
---->
SET output_format_native_write_json_as_string = 1
---->
CREATE TABLE example (
			  Col1 Map(String, UInt64)
			, Col2 Map(String, UInt64)
			, Col3 Map(String, UInt64)
			, Col4 Array(Map(String, String))
			, Col5 Map(LowCardinality(String), LowCardinality(String))
		) Engine Memory
---->
SELECT Col1, Col2, Col3 FROM example WHERE Col1 >= $1 AND Col2 <> $2 AND Col3 <= $3
---->
SELECT
			{column:Identifier},
			{str:String},
			{array:Array(String)},
			{control:String},
			{tab:String},
			{backslash:String}
		FROM {database:Identifier}.{table:Identifier}
		LIMIT 1 OFFSET 100
---->
SET allow_experimental_variant_type = 1
---->
SET allow_suspicious_variant_types = 1
---->
DROP TABLE go_variant_example
---->
use HTTP
---->
INSERT INTO single_json_type_table VALUES ('{}')
---->
SELECT 2
---->
SELECT {name:String}
---->
SELECT {p:Array(UUID)}
---->
SELECT {p:Tuple(UUID, UInt8)}
---->
SELECT {p:DateTime64(3)}
---->
SELECT {p:DateTime}
---->
SELECT {p:Int32}
---->
CREATE TABLE test_abort (
			Col1 UInt8
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_abort
---->
SELECT * FROM test_abort
---->
INSERT INTO function null('x UInt64') VALUES (1)
---->
CREATE TABLE test_array (
			  Col1 Array(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_array
---->
SELECT * FROM test_array
---->
CREATE TABLE test_array (
			  Col1 Array(Enum ('hello'   = 1,  'world' = 2)),
			  Col2 Array(String)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_array (
			  Col1 Array(String)
			, Col2 Array(Array(UInt32))
			, Col3 Array(Array(Array(DateTime)))
			, Col4 Array(String)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_array_valuer (
			  Col1 Array(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_array_valuer
---->
SELECT * FROM test_array_valuer
---->
CREATE TABLE test_uint8 (
				  ID   UInt8
				, Col1 UInt8
				, Col2 Nullable(UInt8)
				, Col3 Array(UInt8)
				, Col4 Array(Nullable(UInt8))
				, Col5 UInt8
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_uint8
---->
SELECT * FROM test_uint8 WHERE ID = $1
---->
CREATE TABLE test_uint8_c (
			  ID   UInt64
			, Col1 UInt8
			, Col2 Nullable(UInt8)
			, Col3 Array(UInt8)
			, Col4 Array(Nullable(UInt8))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_uint8_c
---->
SELECT Col1, Col2, Col3, Col4 FROM test_uint8_c WHERE ID = $1
---->
CREATE TABLE test_int (`1` Int64) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_int
---->
CREATE TABLE test_int (col1 Int64, col2 Nullable(Int64), col3 Int32, col4 Nullable(Int32), col5 Int16, col6 Nullable(Int16)) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_int
---->
DROP TABLE IF EXISTS int_flush
---->
CREATE TABLE int_flush (
			  Col1 UInt8
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM int_flush
---->
INSERT INTO source SELECT number, toString(number), tuple('foo', number), now() FROM system.numbers LIMIT 1000000
---->
SELECT * FROM source
---->
SELECT count() FROM source
---->
CREATE TABLE test_table (
		    Col1 Int,
			Col2 String
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_table
---->
create table if not exists test_batch_cancellation (x String) engine=MergeTree ORDER BY tuple()
---->
drop table if exists test_batch_cancellation
---->
CREATE TABLE test_bfloat16 (
			  Col1 BFloat16,
			  Col2 Nullable(BFloat16)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bfloat16
---->
SELECT * FROM test_bfloat16
---->
CREATE TABLE test_bfloat16_custom (
			  Col1 BFloat16
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bfloat16_custom
---->
SELECT * FROM test_bfloat16_custom
---->
CREATE TABLE test_bfloat16_flush (
			  Col1 BFloat16
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bfloat16_flush
---->
SELECT * FROM test_bfloat16_flush
---->
CREATE TABLE test_bfloat16_edge (
			  Col1 BFloat16
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bfloat16_edge
---->
SELECT * FROM test_bfloat16_edge ORDER BY Col1 DESC LIMIT 1
---->
TRUNCATE TABLE test_bfloat16_edge
---->
CREATE TABLE test_bfloat16_precision (
			  Col1 BFloat16
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bfloat16_precision
---->
SELECT * FROM test_bfloat16_precision ORDER BY Col1 DESC LIMIT 1
---->
TRUNCATE TABLE test_bfloat16_precision
---->
CREATE TABLE test_bfloat16_array (
			  Col1 Array(BFloat16)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bfloat16_array
---->
SELECT * FROM test_bfloat16_array
---->
DROP TABLE IF EXISTS benchmark_bfloat16
---->
CREATE TABLE benchmark_bfloat16 (Col1 BFloat16) ENGINE = Null
---->
INSERT INTO benchmark_bfloat16 VALUES
---->
CREATE TABLE test_bigint (
			  Col1 Int128
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bigint
---->
SELECT * FROM test_bigint
---->
CREATE TABLE test_bigint (
			  Col1 Int128
			, Col2 UInt128
			, Col3 Array(Int128)
			, Col4 Int256
			, Col5 Array(Int256)
			, Col6 UInt256
			, Col7 Array(UInt256)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_nullable_bigint (
			  Col1 Nullable(Int128)
			, Col2 Array(Nullable(Int128))
			, Col3 Nullable(Int256)
			, Col4 Array(Nullable(Int256))
			, Col5 Nullable(UInt256)
			, Col6 Array(Nullable(UInt256))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_nullable_bigint
---->
SELECT * FROM test_nullable_bigint
---->
CREATE TABLE test_bigint_uint_overflow (
			  Col1 UInt128,
			  Col2 UInt128,
			  Col3 Array(UInt128),
			  Col4 UInt256,
			  Col5 UInt256,
			  Col6 Array(UInt256)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bigint_uint_overflow
---->
SELECT * FROM test_bigint_uint_overflow
---->
DROP TABLE IF EXISTS big_int_flush
---->
CREATE TABLE big_int_flush (
			  Col1 UInt128
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM big_int_flush
---->
CREATE TABLE test_bool (
				  Col1 Bool
				, Col2 Bool
				, Col3 Array(Bool)
				, Col4 Nullable(Bool)
				, Col5 Array(Nullable(Bool))
				, Col6 Bool
				, Col7 Nullable(Bool)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bool
---->
SELECT * FROM test_bool
---->
CREATE TABLE test_bool (
				  ID   UInt64
				, Col1 Bool
				, Col2 Bool
				, Col3 Array(Bool)
				, Col4 Nullable(Bool)
				, Col5 Array(Nullable(Bool))
			) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_bool WHERE ID = $1
---->
CREATE TABLE test_columnar_null_bool (
				  ID UInt8
				, Value Nullable(Bool)
				, Pointer Nullable(Bool)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_columnar_null_bool
---->
SELECT Value, Pointer FROM test_columnar_null_bool ORDER BY ID
---->
DROP TABLE IF EXISTS bool_flush
---->
CREATE TABLE bool_flush (
			  Col1 Bool
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM bool_flush
---->
CREATE TABLE bool_custom (
			  Col1 Bool
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE bool_custom
---->
SELECT * FROM bool_custom
---->
SELECT queryID()
---->
SYSTEM FLUSH LOGS
---->
SELECT
			  CAST(1   AS UInt8)  AS Col1
			, CAST('X' AS String) AS Col2
---->
CREATE TABLE test_column_interface (
				    Col1 UInt8
				  , Col2 String
				  , Col3 DateTime
				  , Col4 String
				  , Col5 DateTime
				  , Col6 Int64	
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_column_interface
---->
SELECT COUNT() FROM test_column_interface
---->
SELECT * FROM test_column_interface WHERE Col1 >= $1 AND Col1 < $2
---->
CREATE TABLE test_column_interface (
				  Col1 Nullable(UInt8)
				, Col2 Nullable(String)
				, Col3 Nullable(DateTime)
				, Col4 Nullable(Decimal(10, 2))
			) Engine MergeTree() ORDER BY tuple()
---->
TRUNCATE TABLE test_column_interface
---->
DROP TABLE IF EXISTS test_array
---->
SELECT count() FROM numbers(10000000)
---->
SELECT number FROM numbers(1000000)
---->
SELECT sleep(1)
---->
DROP DATABASE IF EXISTS "default"
---->
CREATE DATABASE "default"
---->
SELECT getSetting('custom_setting')
---->
SELECT getSetting('custom_non_existing_setting')
---->
SELECT getSetting('custom_query_setting')
---->
SELECT sum(value) as conns FROM system.metrics WHERE metric LIKE '%Connection'
---->
DROP TABLE IF EXISTS TestFreeBufOnConnRelease
---->
CREATE TABLE TestFreeBufOnConnRelease (Col1 String) Engine MergeTree() ORDER BY tuple()
---->
INSERT INTO TestFreeBufOnConnRelease (Col1) VALUES
---->
SELECT Col1 FROM TestFreeBufOnConnRelease
---->
DROP TABLE TestFreeBufOnConnRelease
---->
CREATE DATABASE IF NOT EXISTS test_query_cancellation
---->
CREATE TABLE test_date32 (
				  ID   UInt8
				, Col1 Date32
				, Col2 Nullable(Date32)
				, Col3 Array(Date32)
				, Col4 Array(Nullable(Date32))
			    , Col5 Date32
			    , Col6 Nullable(Date32)
			    , Col7 Array(Date32)
			    , Col8 Array(Nullable(Date32))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_date32
---->
SELECT * FROM test_date32 WHERE ID = $1
---->
CREATE TABLE test_date32_extremes (min Date32, max Date32) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_date32_extremes
---->
SELECT * FROM test_date32_extremes
---->
CREATE TABLE test_date32 (
				  Col1 Date32
				, Col2 Nullable(Date32)
				, Col3 Date32
			    , Col4 Nullable(Date32)
			) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_date32
---->
TRUNCATE TABLE test_date32
---->
CREATE TABLE test_date32 (
			  ID   UInt64
			, Col1 Date32
			, Col2 Nullable(Date32)
			, Col3 Array(Date32)
			, Col4 Array(Nullable(Date32))
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT Col1, Col2, Col3, Col4 FROM test_date32 WHERE ID = $1
---->
DROP TABLE IF EXISTS date_32_flush
---->
CREATE TABLE date_32_flush (
			  Col1 Date32
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM date_32_flush
---->
CREATE TABLE date32_tz (
		    Col15 Date32,
		    Col16 Date32
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE date32_tz
---->
SELECT * FROM date32_tz
---->
CREATE TABLE date32_custom (
			Col1 DateTime
	) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE date32_custom
---->
SELECT * FROM date32_custom
---->
DROP TABLE IF EXISTS date_with_user_location
---->
CREATE TABLE date_with_user_location (
			Col1 Date32
	) Engine MergeTree() ORDER BY tuple()
---->
INSERT INTO date_with_user_location SELECT toDate32(toStartOfMonth(toDate('2022-07-12')))
---->
SELECT * FROM date_with_user_location
---->
DROP TABLE IF EXISTS date_32_valuer
---->
CREATE TABLE date_32_valuer (
			  Col1 Date32
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM date_32_valuer
---->
CREATE TABLE test_date (
				  ID   UInt8
				, Col1 Date
				, Col2 Nullable(Date)
				, Col3 Array(Date)
				, Col4 Array(Nullable(Date))
				, Col5 Date
			    , Col6 Nullable(Date)
				, Col7 Date
			    , Col8 Nullable(Date)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_date
---->
SELECT * FROM test_date WHERE ID = $1
---->
CREATE TABLE test_date (
				  Col1 Date
				, Col2 Nullable(Date)
			    , Col3 Nullable(Date)
			) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_date
---->
TRUNCATE TABLE test_date
---->
CREATE TABLE test_date (
			  ID   UInt64
			, Col1 Date
			, Col2 Nullable(Date)
			, Col3 Array(Date)
			, Col4 Array(Nullable(Date))
		    , Col5 Array(Date)
			, Col6 Array(Nullable(Date))
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT Col1, Col2, Col3, Col4, Col5, Col6 FROM test_date WHERE ID = $1
---->
DROP TABLE IF EXISTS date_flush
---->
CREATE TABLE date_flush (
			  Col1 Date
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM date_flush
---->
CREATE TABLE date_tz (
		    Col13 Date,
		    Col14 Date
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE date_tz
---->
SELECT * FROM date_tz
---->
CREATE TABLE date_custom (
			Col1 DateTime64(3)
	) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE date_custom
---->
SELECT * FROM date_custom
---->
CREATE TABLE date_with_user_location (
			Col1 Date
	) Engine MergeTree() ORDER BY tuple()
---->
INSERT INTO date_with_user_location SELECT toStartOfMonth(toDate('2022-07-12'))
---->
DROP TABLE IF EXISTS date_valuer
---->
CREATE TABLE date_valuer (
			  Col1 Date
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM date_valuer
---->
CREATE TABLE test_datetime64 (
				  Col1 DateTime64(3)
				, Col2 DateTime64(9, 'Europe/Moscow')
				, Col3 DateTime64(0, 'Europe/London')
				, Col4 Nullable(DateTime64(3, 'Europe/Moscow'))
				, Col5 Array(DateTime64(3, 'Europe/Moscow'))
				, Col6 Array(Nullable(DateTime64(3, 'Europe/Moscow')))
				, Col7 DateTime64(3) 
				, Col8 DateTime64(6) 
				, Col9 DateTime64(9)
			    , Col10 DateTime64(9)
			    , Col11 DateTime64(9)
			    , Col12 DateTime64(6)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_datetime64
---->
SELECT * FROM test_datetime64
---->
CREATE TABLE test_datetime64 (
				Col1      DateTime64(3)
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_datetime64 (
				    Col1      DateTime64(3)
				, Col1_Null Nullable(DateTime64(3))
				, Col2      DateTime64(9, 'Europe/Moscow')
				, Col2_Null Nullable(DateTime64(9, 'Europe/Moscow'))
				, Col3      DateTime64(0, 'Europe/London')
				, Col3_Null Nullable(DateTime64(0, 'Europe/London'))
			) Engine MergeTree() ORDER BY tuple()
---->
TRUNCATE TABLE test_datetime64
---->
CREATE TABLE test_datetime64 (
			  ID   UInt64
			, Col1 DateTime64(3)
			, Col2 Nullable(DateTime64(3))
			, Col3 Array(DateTime64(3))
			, Col4 Array(Nullable(DateTime64(3)))
			, Col5 DateTime64(3) 
			, Col6 DateTime64(6) 
			, Col7 DateTime64(9)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT Col1, Col2, Col3, Col4, Col5, Col6, Col7 FROM test_datetime64 WHERE ID = $1
---->
DROP TABLE IF EXISTS datetime_64_flush
---->
CREATE TABLE datetime_64_flush (
			  Col1 DateTime64(3)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM datetime_64_flush
---->
CREATE TABLE datetime64_tz (
			Id Int64,
			Col1 DateTime64(3),
		    Col2 DateTime64(6, 'UTC'),
		    Col3 DateTime64(9, 'Asia/Shanghai'),
		    Col4 DateTime64(3),
		    Col5 DateTime64(6, 'UTC'),
		    Col6 DateTime64(9, 'Asia/Shanghai')
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE datetime64_tz
---->
SELECT * FROM datetime64_tz
---->
CREATE TABLE datetime64_custom (
			Col1 DateTime64(3)
	) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE datetime64_custom
---->
SELECT * FROM datetime64_custom
---->
DROP TABLE IF EXISTS datetime_64_valuer
---->
CREATE TABLE datetime_64_valuer (
			  Col1 DateTime64(3)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM datetime_64_valuer
---->
CREATE TABLE test_datetime (
				  Col1 DateTime
				, Col2 DateTime('Europe/Moscow')
				, Col3 DateTime('Europe/London')
				, Col4 Nullable(DateTime('Europe/Moscow'))
				, Col5 Array(DateTime('Europe/Moscow'))
				, Col6 Array(Nullable(DateTime('Europe/Moscow')))
				, Col7 DateTime
				, Col8 DateTime('Asia/Shanghai')
				, Col9 Nullable(DateTime('Asia/Shanghai'))
				, Col10 Array(DateTime('Asia/Shanghai'))
			    , Col11 DateTime
				, Col12 DateTime
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_datetime
---->
SELECT * FROM test_datetime
---->
CREATE TABLE test_datetime (
				  Col1      DateTime
				, Col1_Null Nullable(DateTime)
				, Col2      DateTime('Europe/Moscow')
				, Col2_Null Nullable(DateTime('Europe/Moscow'))
				, Col3      DateTime('Europe/London')
				, Col3_Null Nullable(DateTime('Europe/London'))
			    , Col4      DateTime
			    , Col4_Null Nullable(DateTime)
			    , Col5		DateTime('Asia/Shanghai')
			    , Col5_Null Nullable(DateTime('Asia/Shanghai'))
			) Engine MergeTree() ORDER BY tuple()
---->
TRUNCATE TABLE test_datetime
---->
CREATE TABLE test_datetime (
			  ID   UInt64
			, Col1 DateTime
			, Col2 Nullable(DateTime)
			, Col3 Array(DateTime)
			, Col4 Array(Nullable(DateTime))
		    , Col5 Array(DateTime)
		    , Col6 Array(Nullable(DateTime))
			, Col7 DateTime
			, Col8 DateTime
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT Col1, Col2, Col3, Col4, Col5, Col6, Col7, Col8 FROM test_datetime WHERE ID = $1
---->
DROP TABLE datetime_flush
---->
CREATE TABLE datetime_flush (
			  Col1 DateTime
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM datetime_flush
---->
CREATE TABLE datetime_tz (
			Col7 DateTime,
		    Col8 DateTime('UTC'),
		    Col9 DateTime('Asia/Shanghai'),
		    Col10 DateTime,
		    Col11 DateTime('UTC'),
		    Col12 DateTime('Asia/Shanghai')
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE datetime_tz
---->
SELECT * FROM datetime_tz
---->
CREATE TABLE datetime_custom (
			Col1 DateTime
	) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE datetime_custom
---->
SELECT * FROM datetime_custom
---->
DROP TABLE datetime_valuer
---->
CREATE TABLE datetime_valuer (
			  Col1 DateTime
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM datetime_valuer
---->
CREATE TABLE `test_string` (`1` String) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE `test_string`
---->
CREATE TABLE test_decimal (
				  Col1 Decimal32(3)
				, Col2 Decimal(18,6)
				, Col3 Decimal(15,7)
				, Col4 Decimal128(8)
				, Col5 Decimal256(9)
				, Col6 Decimal(2, 2)
				, Col7 Decimal(2, 2)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_decimal
---->
SELECT * FROM test_decimal
---->
CREATE TABLE test_decimal (
			  Col1 Nullable(Decimal(9,4)),
			  Col2 Nullable(Decimal(18,5)),
              Col3 Nullable(Decimal(48,7)),
              Col4 Nullable(Decimal(76,29))
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_decimal (
			  Col1 Nullable(Decimal32(5))
			, Col2 Nullable(Decimal(18,5))
			, Col3 Nullable(Decimal(15,3))
			, Col4 Nullable(Decimal(2, 2))
			, Col5 Nullable(Decimal(2, 2))
		) Engine MergeTree() ORDER BY tuple()
---->
TRUNCATE TABLE test_decimal
---->
DROP TABLE IF EXISTS decimal_flush
---->
CREATE TABLE decimal_flush (
			  Col1 Decimal(76,29)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM decimal_flush
---->
SELECT * FROM decimal_flush ORDER BY Col1 asc
---->
CREATE TABLE test_decimal (
				  Col1 Decimal32(3)
				, Col2 Decimal(18,6)
				, Col3 Decimal(15,7)
				, Col4 Decimal128(8)
				, Col5 Decimal256(9)
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE IF NOT EXISTS test_dynamic (
				  c Dynamic                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_dynamic
---->
SELECT c FROM test_dynamic
---->
CREATE TABLE IF NOT EXISTS test_dynamic_max_types (
				  c Dynamic(max_types=2)              
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_dynamic_max_types
---->
SELECT c FROM test_dynamic_max_types
---->
CREATE TABLE IF NOT EXISTS test_dynamic_exceeded_types (
			  c Dynamic
		) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_dynamic_exceeded_types
---->
SELECT c FROM test_dynamic_exceeded_types
---->
CREATE TABLE IF NOT EXISTS test_dynamic_array (
				  c Array(Dynamic)                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_dynamic_array
---->
SELECT c FROM test_dynamic_array
---->
CREATE TABLE IF NOT EXISTS test_dynamic_empty_array (
				  c Array(Dynamic)                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_dynamic_empty_array
---->
SELECT c FROM test_dynamic_empty_array
---->
CREATE TABLE IF NOT EXISTS test_dynamic_scan_with_type (
				  c Dynamic                 
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_dynamic_scan_with_type
---->
SELECT c FROM test_dynamic_scan_with_type
---->
CREATE TABLE IF NOT EXISTS test_dynamic_batch_flush (
				  c Dynamic                 
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_dynamic_batch_flush
---->
SELECT c FROM test_dynamic_batch_flush
---->
CREATE TEMPORARY TABLE test_empty_query (
			  Col1 UInt8
			, Col2 Array(UInt8)
			, Col3 LowCardinality(String)
			, NestedCol  Nested (
				  First  UInt32
				, Second UInt32
			)
		)
---->
CREATE TABLE test_enum (
				  Col1 Enum  ('hello'   = 1,  'world' = 2)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_enum
---->
SELECT * FROM test_enum
---->
CREATE TABLE test_enum (
				  Col1 Enum ('hello'   = 1,  'world' = 2),
				  Col2 Enum8 ('hello'   = 1,  'world' = 2),
				  Col3 Enum16 ('hello'   = 1,  'world' = 2)
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_enum (
				  Col1 Enum  ('hello,hello'   = 1,  'world' = 2)
				, Col2 Enum8 ('click'   = 5,  'house' = 25)
				, Col3 Enum16('house' = 10,   'value' = 50)
				, Col4 Array(Enum8  ('click' = 1, 'house' = 2))
				, Col5 Array(Enum16 ('click' = 1, 'house' = 2))
				, Col6 Array(Nullable(Enum8  ('click' = 1, 'house' = 2)))
				, Col7 Array(Nullable(Enum16 ('click' = 1, 'house' = 2)))
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_enum (
				  Col1 Nullable(Enum  ('hello'   = 1,  'world' = 2))
				, Col2 Nullable(Enum8 ('click'   = 5,  'house' = 25))
				, Col3 Nullable(Enum16('default' = 10, 'value' = 50))
			) Engine MergeTree() ORDER BY tuple()
---->
TRUNCATE TABLE test_enum
---->
CREATE TABLE test_enum (
				  Col1 Enum  ('hello'   = 1,  'world' = 2)
				, Col2 Enum8 ('click'   = 5,  'house' = 25)
				, Col3 Enum16('house' = 10,   'value' = 50)
				, Col4 Array(Enum8  ('click' = 1, 'house' = 2))
				, Col5 Array(Enum16 ('click' = 1, 'house' = 2))
				, Col6 Array(Nullable(Enum8  ('click' = 1, 'house' = 2)))
				, Col7 Array(Nullable(Enum16 ('click' = 1, 'house' = 2)))
			) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_enum LIMIT 1
---->
CREATE TABLE test_enum_valuer (
				  Col1 Enum  ('hello'   = 1,  'world' = 2)
				, Col2 Enum8 ('click'   = 5,  'house' = 25)
				, Col3 Enum16('house' = 10,   'value' = 50)
				, Col4 Array(Enum8  ('click' = 1, 'house' = 2))
				, Col5 Array(Enum16 ('click' = 1, 'house' = 2))
				, Col6 Array(Nullable(Enum8  ('click' = 1, 'house' = 2)))
				, Col7 Array(Nullable(Enum16 ('click' = 1, 'house' = 2)))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_enum_valuer
---->
SELECT * FROM test_enum_valuer
---->
CREATE TABLE test_fixed_string (
				Col1 FixedString(10)
				, Col2 FixedString(10)
				, Col3 Nullable(FixedString(10))
				, Col4 Array(FixedString(10))
				, Col5 Array(Nullable(FixedString(10)))
			    , Col6 FixedString(12)
			    , Col7 FixedString(10)
				, Col8 FixedString(10)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_fixed_string
---->
SELECT * FROM test_fixed_string
---->
SELECT CAST('RU' AS FixedString(2)) FROM system.numbers_mt LIMIT 10
---->
CREATE TABLE test_fixed_string_empty (
				Col1 FixedString(2),
				Col2 FixedString(2),
				Col3 FixedString(2),
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_fixed_string_empty
---->
SELECT * FROM test_fixed_string_empty
---->
CREATE TABLE test_nullable_fixed_string (
			  Col1 Nullable(FixedString(10))
			, Col2 Nullable(FixedString(10))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_nullable_fixed_string
---->
SELECT * FROM test_nullable_fixed_string
---->
TRUNCATE TABLE test_nullable_fixed_string
---->
CREATE TABLE test_fixed_string (
			  Col1 FixedString(10)
			, Col2 FixedString(10)
			, Col3 Nullable(FixedString(10))
			, Col4 Array(FixedString(10))
			, Col5 Array(Nullable(FixedString(10)))
			, Col6 FixedString(10)
			, Col7 FixedString(10)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_fixed_string LIMIT 1
---->
DROP TABLE IF EXISTS benchmark_fixed_string
---->
CREATE TABLE benchmark_fixed_string (Col1 UInt64, Col2 FixedString(4)) ENGINE = Null
---->
DROP TABLE IF EXISTS fixed_string_flush
---->
CREATE TABLE fixed_string_flush (
			  Col1 FixedString(10)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM fixed_string_flush
---->
CREATE TABLE test_fixed_string (
			  	  Col1 FixedString(5)
		        , Col2 FixedString(5)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_fixed_string
---->
CREATE TABLE IF NOT EXISTS test_float64 (
				  Col1 Float64
				, Col2 Float64                   
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_float64
---->
SELECT Col1, Col2 from test_float64
---->
CREATE TABLE IF NOT EXISTS test_float64_valuer (
				  Col1 Float64
				, Col2 Float64                   
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_float64_valuer
---->
SELECT Col1, Col2 from test_float64_valuer
---->
CREATE TABLE test_float (
			  Col1 Float32,
			  Col2 Float64,
			  Col3 Nullable(Float64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_float
---->
SELECT * FROM test_float
---->
CREATE TABLE test_float (
			  Col1 Float32,
			  Col2 Float64
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS benchmark_float
---->
CREATE TABLE benchmark_float (Col1 Float32, Col2 Float64) ENGINE = Null
---->
INSERT INTO benchmark_float VALUES
---->
DROP TABLE IF EXISTS fixed_float_flush
---->
CREATE TABLE fixed_float_flush (
			  Col1 Float32,
			  Col2 Float64	
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM fixed_float_flush
---->
SELECT throwIf(number=3, 'boom mid stream') FROM system.numbers
---->
SELECT throwIf(number=3, 'there is an exception') FROM system.numbers
---->
SELECT number, randomPrintableASCII(1000) AS pad, throwIf(number=20000, 'there is an exception') FROM system.numbers
---->
SELECT number, randomString(100) FROM numbers(100000000)
---->
SELECT throwIf(number=3, 'there is an exception') FROM system.numbers LIMIT 10
---->
CREATE TABLE test_geo_linestring (
			Col1 LineString
			, Col2 Array(LineString)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_linestring
---->
SELECT * FROM test_geo_linestring
---->
CREATE TABLE test_geo_linestring_flush (
			  Col1 LineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_linestring_flush
---->
SELECT * FROM test_geo_linestring_flush
---->
CREATE TABLE test_geo_linestring_valuer (
			  Col1 LineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_linestring_valuer
---->
SELECT * FROM test_geo_linestring_valuer
---->
CREATE TABLE test_geo_linestring_empty (
			Col1 LineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_linestring_empty
---->
SELECT * FROM test_geo_linestring_empty
---->
CREATE TABLE test_geo_linestring_single_point (
			Col1 LineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_linestring_single_point
---->
SELECT * FROM test_geo_linestring_single_point
---->
CREATE TABLE test_geo_multi_linestring (
			  Col1 MultiLineString
			, Col2 Array(MultiLineString)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_multi_linestring
---->
SELECT * FROM test_geo_multi_linestring
---->
CREATE TABLE test_geo_multi_linestring_flush (
			  Col1 MultiLineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_multi_linestring_flush
---->
SELECT * FROM test_geo_multi_linestring_flush
---->
CREATE TABLE test_geo_multi_linestring_valuer (
			  Col1 MultiLineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_multi_linestring_valuer
---->
SELECT * FROM test_geo_multi_linestring_valuer
---->
CREATE TABLE test_geo_multi_linestring_empty (
			Col1 MultiLineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_multi_linestring_empty
---->
SELECT * FROM test_geo_multi_linestring_empty
---->
CREATE TABLE test_geo_multi_linestring_single_point (
			Col1 MultiLineString
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_multi_linestring_single_point
---->
SELECT * FROM test_geo_multi_linestring_single_point
---->
CREATE TABLE test_geo_multipolygon (
			  Col1 MultiPolygon
			, Col2 Array(MultiPolygon)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_multipolygon
---->
SELECT * FROM test_geo_multipolygon
---->
CREATE TABLE test_geo_multipolygon_flush (
			  Col1 MultiPolygon
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_multipolygon_flush
---->
SELECT * FROM test_geo_multipolygon_flush
---->
CREATE TABLE test_geo_point (
			Col1 Point
			, Col2 Array(Point)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_point
---->
SELECT * FROM test_geo_point
---->
CREATE TABLE test_geo_point_flush (
			  Col1 Point
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_point_flush
---->
SELECT * FROM test_geo_point_flush
---->
CREATE TABLE test_geo_polygon (
			  Col1 Polygon
			, Col2 Array(Polygon)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_polygon
---->
SELECT * FROM test_geo_polygon
---->
CREATE TABLE test_geo_polygon_flush (
			  Col1 Polygon
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_polygon_flush
---->
SELECT * FROM test_geo_polygon_flush
---->
CREATE TABLE test_geo_ring (
			Col1 Ring
			, Col2 Array(Ring)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_geo_ring
---->
SELECT * FROM test_geo_ring
---->
CREATE TABLE test_geo_ring_flush (
			  Col1 Ring
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_ring_flush
---->
SELECT * FROM test_geo_ring_flush
---->
CREATE TABLE test_geo_ring_valuer (
			  Col1 Ring
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_geo_ring_valuer
---->
SELECT * FROM test_geo_ring_valuer
---->
SELECT number FROM system.numbers LIMIT 100
---->
SELECT number FROM system.numbers LIMIT 0
---->
SELECT number FROM system.numbers LIMIT 10
---->
SELECT number FROM system.numbers LIMIT 1000
---->
SELECT number FROM system.numbers LIMIT 1000000
---->
CREATE TABLE test_bind_array_insert (
			  Col1 String
			, Col2 Array(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_bind_array_insert
---->
INSERT INTO test_bind_array_insert (Col1, Col2) VALUES (?, ?)
---->
CREATE TABLE IF NOT EXISTS issue_631
			(timeDuration Int64)
			ENGINE = MergeTree
			ORDER BY (timeDuration)
---->
DROP TABLE issue_631
---->
SELECT timeDuration from issue_631
---->
SELECT
			  INTERVAL 1 SECOND
			, INTERVAL 4 SECOND
			, INTERVAL 1 MINUTE
			, INTERVAL 5 MINUTE
---->
CREATE TABLE test_ipv4 (
				  Col1 IPv4
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_ipv4
---->
SELECT * FROM test_ipv4
---->
CREATE TABLE test_ipv4 (
				  Col1 IPv4
				, Col2 IPv4
				, Col3 Nullable(IPv4)
				, Col4 Array(IPv4)
				, Col5 Array(Nullable(IPv4))
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_ipv4 (
				  Col1 Nullable(IPv4)
				, Col2 Nullable(IPv4)
			) Engine MergeTree() ORDER BY tuple()
---->
TRUNCATE TABLE test_ipv4
---->
CREATE TABLE test_ipv4 (
				  Col1 IPv4
				, Col2 IPv4
				, Col3 Nullable(IPv4)
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_ipv4_ring_flush (
			  Col1 IPv4
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_ipv4_ring_flush
---->
SELECT * FROM test_ipv4_ring_flush
---->
CREATE TABLE test_ipv4_ring_valuer (
			  Col1 IPv4
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_ipv4_ring_valuer
---->
SELECT * FROM test_ipv4_ring_valuer
---->
CREATE TABLE test_ipv6 (
				  Col1 IPv6
				, Col2 IPv6
				, Col3 Nullable(IPv6)
				, Col4 Array(IPv6)
				, Col5 Array(Nullable(IPv6))
			    , Col6 Array(IPv6)
				, Col7 Array(Nullable(IPv6))
			    , Col8 IPv6
				, Col9 Nullable(IPv6)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_ipv6
---->
SELECT * FROM test_ipv6
---->
CREATE TABLE test_ipv6 (
				  Col1 IPv6
				, Col2 IPv6
				, Col3 IPv6
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_ipv6 (
				  Col1 Nullable(IPv6)
				, Col2 Nullable(IPv6)
				, Col3 Nullable(IPv6)
			) Engine MergeTree() ORDER BY tuple()
---->
TRUNCATE TABLE test_ipv6
---->
CREATE TABLE test_ipv6 (
				  Col1 IPv6
				, Col2 IPv6
				, Col3 Nullable(IPv6)
				, Col4 IPv6
				, Col5 Nullable(IPv6)
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_ipv6_ring_flush (
			  Col1 IPv6
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_ipv6_ring_flush
---->
SELECT * FROM test_ipv6_ring_flush
---->
CREATE TABLE test_ipv6_ring_valuer (
			  Col1 IPv6
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_ipv6_ring_valuer
---->
SELECT * FROM test_ipv6_ring_valuer
---->
CREATE TABLE test_ipv6 (
				  Col1 IPv6
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_1049 (
			test String
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1049
---->
CREATE TABLE test_1053 (
			Col1 UInt64
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1053
---->
CREATE TABLE test_1066 (
			Col1 Date32
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1066
---->
INSERT INTO test_1066 (Col1) VALUES(?)
---->
SELECT Col1 FROM test_1066
---->
CREATE TABLE test_1072 (
			test JSON
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1072
---->
CREATE TABLE test_1106 (col1 IPv6, col2 IPv6, col3 IPv4, col4 IPv4) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1106
---->
CREATE TABLE test_1113 (col_1 JSON, col_2 JSON) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1113
---->
CREATE TABLE test_1119 (col JSON) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1119
---->
select number, throwIf(number = 1e6) from system.numbers settings max_block_size = 100
---->
CREATE TABLE test_1128 (Col1 Array(String)) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1128
---->
SELECT * FROM test_1128
---->
CREATE TABLE test_1164 (Col1 String) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1164
---->
CREATE TABLE test_1169 (Col1 DateTime) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1169
---->
INSERT INTO test_1169 (Col1) VALUES (?)
---->
SELECT Col1 FROM test_1169
---->
CREATE TABLE test_1200 (id UInt32, null_str Nullable(FixedString(5))) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1200
---->
INSERT INTO test_1200 (id, null_str) VALUES (?, ?)
---->
CREATE TABLE IF NOT EXISTS test_1216 (`@id` String,`"@id_with_quotes"` String) Engine = MergeTree ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1216
---->
CREATE TABLE IF NOT EXISTS test_1229 (`test1` String, `test2` String) Engine = MergeTree ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1229
---->
SELECT test1, test2 FROM test_1229
---->
CREATE TABLE IF NOT EXISTS test_1245 (`id` Int32, `segment` Tuple(Tuple(UInt16, UInt16), Tuple(UInt16, UInt16))) Engine = MergeTree ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1245
---->
INSERT INTO test_1245 VALUES (1, ((1,3),(8,9)))
---->
SELECT id, segment FROM test_1245
---->
CREATE TABLE test_1247 (`ColumnNameWithParentheses(something)` String) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1247
---->
CREATE TABLE test_1257 (
			  Str String,
			  NStr Nullable(String),
			  Dt DateTime,
			  NDt Nullable(DateTime)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_1257
---->
SELECT Str, NStr, Dt, NDt FROM test_1257
---->
DROP TABLE flush_with_close_query_example
---->
DROP TABLE IF EXISTS flush_with_close_query_example
---->
CREATE TABLE IF NOT EXISTS flush_with_close_query_example (
			  Col1 UInt64
			, Col2 String
			, Col3 FixedString(3)
			, Col4 UUID
			, Col5 Map(String, UInt64)
			, Col6 Array(String)
			, Col7 Tuple(String, UInt64, Array(Map(String, UInt64)))
			, Col8 DateTime
		) Engine = MergeTree() ORDER BY tuple()
---->
SELECT count() FROM flush_with_close_query_example
---->
CREATE TABLE values (`id` Int32, `values` Int32) Engine = MergeTree ORDER BY tuple()
---->
DROP TABLE IF EXISTS values
---->
INSERT INTO values (values) values
---->
INSERT INTO values (`values`) values
---->
INSERT 
					INTO
					values
					(id,
						values)
					values
---->
INSERT
					 INTO 
					 values
					  (id,values) values (1,2)
---->
INSERT INTO values(id, values) values (1,2)
---->
CREATE TABLE test_1297
(
    Id UInt8,
    Device LowCardinality(String),
    Nestme Nested(
    	Id UInt32,
		TestLC LowCardinality(String),
		Test String
	)
)
ENGINE = MergeTree
ORDER BY Id
---->
Create table failed
---->
DROP TABLE IF EXISTS test_1297
---->
CREATE TABLE test_1299 (
				Col1 Enum ('raw:48h\',1h:63d,1d:5y' = 1, 'raw:8h,1m:48h,1h:63d,1d:5y' = 2)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_1299
---->
SELECT * FROM test_1299
---->
CREATE TABLE test_1329 (Col String) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_1329
---->
CREATE DATABASE IF NOT EXISTS `_test_1345#$.ДБ`
---->
DROP DATABASE IF EXISTS `_test_1345#$.ДБ`
---->
CREATE  TABLE  IF NOT EXISTS `_test_1345#$.ДБ`.`2. Таблица №2` (i UInt64, s String) ENGINE = MergeTree ORDER BY tuple()
---->
SELECT * FROM `_test_1345#$.ДБ`.`2. Таблица №2`
---->
CREATE TABLE test_array (
				Col1 Array(Array(String)),
				Col2 Array(Array(Nullable(String)))
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_1359 (
			  NStr Nullable(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_1359
---->
insert into test_1359 (NStr) values (?)
---->
select NStr from test_1359 limit 1
---->
CREATE TABLE test_1365 (
				Col1 Array(Map(String,String))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_1365
---->
SELECT * FROM test_1365
---->
CREATE TABLE IF NOT EXISTS test_table
ON CLUSTER my
(id UInt32, name String)
ENGINE = MergeTree()
ORDER BY id
---->
INSERT INTO test_table (id, name) VALUES (?, ?)
---->
CREATE TABLE test (foo String, foo2 String)  ENGINE = MergeTree ORDER BY (foo)
---->
CREATE TABLE IF NOT EXISTS issue_1446(
			my_id    UInt64,
			my_tuple Tuple(tuple_one Nullable(String), tuple_two Nullable(String))
		) ENGINE = MergeTree PRIMARY KEY (my_id) ORDER BY (my_id)
---->
DROP TABLE issue_1446
---->
INSERT INTO issue_1446(my_id, my_tuple) VALUES (1, tuple('one', 'two'))
---->
SELECT * FROM issue_1446 LIMIT 1
---->
SELECT CAST((['key', 'key2'], ['value', null]), 'Map(String, Nullable(String))')
---->
SELECT CAST((['key', 'key2'], [42, null]), 'Map(String, Nullable(Int64))')
---->
SELECT map(['success', 'failure'], [10, 5]) as value
---->
DROP TABLE IF EXISTS test1_nullable_json
---->
create table
---->
INSERT INTO test1_nullable_json (id, payload, payload2) VALUES (?, ?, ?)
---->
SELECT payload FROM test1_nullable_json WHERE id = 1
---->
select payload
---->
DROP TABLE IF EXISTS test2_nullable_json
---->
INSERT INTO test2_nullable_json (id, payload, payload2) VALUES (?, ?, ?)
---->
INSERT INTO test2_nullable_json (id) VALUES (?)
---->
SELECT payload FROM test2_nullable_json WHERE id = 2
---->
CREATE TABLE issue_164 (
			  Col1 Int32
			, Col2 Array(Int8)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_164
---->
INSERT INTO test_xxxx VALUES (?, ?, [1, 2, 3, 4, 5, 6, 7, 8, 9], now())
---->
CREATE TABLE test_xxxx (Col1 UInt64, Col2 String, Col3 Array(UInt8), Col4 DateTime) Engine ReplacingMergeTree() ORDER BY Col1
---->
DROP TABLE IF EXISTS test_xxxx
---->
CREATE TABLE test_1730 (
			ID UInt8,
			Col1 Nullable(Decimal64(2)),
			Col2 Nullable(Int64),
			Col3 Nullable(String),
			Col4 Nullable(DateTime('UTC')),
			Col5 Nullable(UUID),
			Col6 LowCardinality(Nullable(String))
		) Engine MergeTree ORDER BY ID
---->
DROP TABLE IF EXISTS test_1730
---->
INSERT INTO test_1730 VALUES
			(1, NULL, NULL, NULL, NULL, NULL, NULL),
			(2, 123.1, 42, 'a', '2024-01-02 03:04:05', '00000000-0000-0000-0000-000000000001', 'x'),
			(3, NULL, NULL, NULL, NULL, NULL, NULL),
			(4, 124.1, 43, 'b', '2024-01-02 03:04:06', '00000000-0000-0000-0000-000000000002', 'y'),
			(5, NULL, NULL, NULL, NULL, NULL, NULL)
---->
SELECT Col1, Col2, Col3, Col4, Col5, Col6 FROM test_1730 ORDER BY ID
---->
SELECT Col2, Col3, Col4, Col6 FROM test_1730 ORDER BY ID
---->
SELECT Col6 FROM test_1730 WHERE ID = 1
---->
Select into struct
---->
SELECT Col2 FROM test_1730 ORDER BY ID
---->
SELECT getSetting('network_compression_method')
---->
SELECT getSetting('network_zstd_compression_level')
---->
CREATE TABLE
---->
SELECT {str:String}
---->
CREATE TABLE test_1801
	(
		ID UInt64,
		build_config LowCardinality(String),
		allocation_id String
	)
	ENGINE = MergeTree
	ORDER BY ID
---->
DROP TABLE IF EXISTS test_1801
---->
SELECT COUNT() FROM test_1801
---->
CREATE TABLE test_1801_many
	(
		ID UInt64,
		build_config LowCardinality(String),
		allocation_id String
	)
	ENGINE = MergeTree
	ORDER BY ID
---->
DROP TABLE IF EXISTS test_1801_many
---->
SELECT COUNT() FROM test_1801_many
---->
CREATE TABLE test_1801_flush
	(
		Col1 LowCardinality(String)
	)
	ENGINE = MergeTree
	ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1801_flush
---->
SELECT COUNT() FROM test_1801_flush
---->
DROP TABLE IF EXISTS test_1841_string_ptr
---->
CREATE TABLE test_1841_string_ptr (product JSON)
				ENGINE = MergeTree ORDER BY tuple()
---->
SELECT toString(product) FROM test_1841_string_ptr
---->
DROP TABLE IF EXISTS test_1841_mixed
---->
CREATE TABLE test_1841_mixed (id UInt32, product JSON)
				ENGINE = MergeTree ORDER BY id
---->
DROP TABLE IF EXISTS test_1841_bulk
---->
CREATE TABLE test_1841_bulk (id UInt32, product Nullable(JSON))
				ENGINE = MergeTree ORDER BY id
---->
SELECT id, toString(product) FROM test_1841_bulk ORDER BY id
---->
DROP TABLE IF EXISTS test_1841_reset
---->
CREATE TABLE test_1841_reset (id UInt32, product Nullable(JSON))
				ENGINE = MergeTree ORDER BY id
---->
SELECT countIf(product IS NULL), count() FROM test_1841_reset
---->
SELECT
		CAST(toDateTime(1673784000, 'UTC'), 'DateTime(\'Fixed/UTC+05:45:00\')')           AS dt,
		CAST(toDateTime64(1673784000, 3, 'UTC'), 'DateTime64(3, \'Fixed/UTC+05:45:00\')') AS dt64,
		CAST(toDateTime(1673784000, 'UTC'), 'DateTime(\'Fixed/UTC-09:30:00\')')           AS dtNeg
---->
SELECT hasAll([true, false], {vals:Array(Bool)})
---->
SELECT {vals:Array(Bool)}
---->
SELECT {vals:Array(Array(Bool))}
---->
SELECT {vals:Array(Nullable(Bool))}
---->
SELECT {b:Bool}
---->
SELECT {m:Map(String, Bool)}
---->
SELECT {m:Map(String, String)}
---->
SELECT {m:Map(String, UInt8)}
---->
SELECT {s:String}
---->
SELECT {m:Map(String, Map(String, Bool))}
---->
SELECT {m:Array(Map(String, String))}
---->
SELECT {m:Map(String, Array(Bool))}
---->
SELECT {f:Float64}
---->
SELECT {m:Map(String, Float64)}
---->
SELECT {d:DateTime('UTC')}
---->
SELECT {m:Map(String, DateTime('UTC'))}
---->
SELECT {d:DateTime64(9, 'UTC')}
---->
SELECT {m:Map(String, DateTime64(9, 'UTC'))}
---->
SELECT {s:Nullable(String)}, isNull({s:Nullable(String)})
---->
SELECT {i:Nullable(Int32)}
---->
SELECT {a:Array(Nullable(String))}
---->
CREATE TABLE test_1917 (`id` Int128) ENGINE = MergeTree ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1917
---->
CREATE TABLE test_1917_array (`id` UInt256) ENGINE = MergeTree ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_1917_array
---->
SELECT {val:Int128}
---->
SELECT 'test' AS test FROM system.numbers LIMIT 10
---->
CREATE TABLE issue_260 (
			Col1 Nullable(DateTime('UTC'))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_260
---->
SELECT * FROM issue_260
---->
DROP TABLE issue_357
---->
SELECT * FROM issue_357
---->
INSERT INTO example (country_code, os_id, browser_id, action_day, action_time) VALUES (?, ?, ?, ?, ?)
---->
SELECT country_code, os_id, browser_id, categories, action_day, action_time FROM example
---->
CREATE TEMPORARY TABLE issue_389 (
				    Col1 DateTime64(3, 'America/New_York')
			)
---->
DROP TABLE issue_389
---->
SELECT * FROM issue_389
---->
CREATE TABLE issue_406 (
				Col1 Tuple(Array(Int32), Array(Int32))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_406
---->
SELECT * FROM issue_406
---->
CREATE TABLE issue_412 (
				Col1 SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_412
---->
SELECT * FROM issue_412
---->
SELECT * FROM system.query_thread_log
---->
CREATE TABLE issue_470_pr (
			Col1 Array(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_470_pr
---->
CREATE TABLE issue_472 (
				PodUID               UUID
				, EventType          String
				, ControllerRevision UInt8
				, Timestamp          DateTime
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_472
---->
SELECT
								Timestamp
							FROM issue_472
							WHERE PodUID = $1
								AND (EventType = $2 or EventType = $3)
								AND ControllerRevision = $4 LIMIT 1
---->
SELECT * FROM system.query_log
---->
CREATE TABLE issue_476 (
				  Col1 Array(LowCardinality(String))
				, Col2 Array(LowCardinality(String))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_476
---->
SELECT * FROM issue_476
---->
SELECT
				toDateTime('2020-02-01 00:00:00'), -- Not issued date
				toDateTime('2061-02-01 00:00:00'), -- Issued date
				toDateTime64(toUnixTimestamp(toDateTime('2064-01-01 00:00:00')), 3), -- Depend code
				toDateTime(2147483647), -- Int 32 max value to timestamp
				toDateTime(2147483648) -- Test for range over int32
---->
CREATE TABLE issue_483
		(
			example_id UInt8,
			steps Nested(
				  duration UInt8,
				  result Nested(
						duration UInt64,
						error_message Nullable(String),
						status UInt8
					),
				  keyword String
				),
			status UInt8
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_483
---->
SELECT * FROM issue_483
---->
CREATE TABLE IF NOT EXISTS example (
                           timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
                           traceID String CODEC(ZSTD(1)),
                           spanID String CODEC(ZSTD(1)),
                           parentSpanID String CODEC(ZSTD(1)),
                           serviceName LowCardinality(String) CODEC(ZSTD(1)),
                           name LowCardinality(String) CODEC(ZSTD(1)),
                           kind Int32 CODEC(ZSTD(1)),
                           durationNano UInt64 CODEC(ZSTD(1)),
                           tags Array(String) CODEC(ZSTD(1)),
                           tagsKeys Array(String) CODEC(ZSTD(1)),
                           tagsValues Array(String) CODEC(ZSTD(1)),
                           statusCode Int64 CODEC(ZSTD(1)),
                           references String CODEC(ZSTD(1)),
                           externalHttpMethod Nullable(String) CODEC(ZSTD(1)),
                           externalHttpUrl Nullable(String) CODEC(ZSTD(1)),
                           component Nullable(String) CODEC(ZSTD(1)),
                           dbSystem Nullable(String) CODEC(ZSTD(1)),
                           dbName Nullable(String) CODEC(ZSTD(1)),
                           dbOperation Nullable(String) CODEC(ZSTD(1)),
                           peerService Nullable(String) CODEC(ZSTD(1)),
                           INDEX idx_traceID traceID TYPE bloom_filter GRANULARITY 4,
                           INDEX idx_service serviceName TYPE bloom_filter GRANULARITY 4,
                           INDEX idx_name name TYPE bloom_filter GRANULARITY 4,
                           INDEX idx_kind kind TYPE minmax GRANULARITY 4,
                           INDEX idx_tagsKeys tagsKeys TYPE bloom_filter(0.01) GRANULARITY 64,
                           INDEX idx_tagsValues tagsValues TYPE bloom_filter(0.01) GRANULARITY 64,
                           INDEX idx_duration durationNano TYPE minmax GRANULARITY 1
                         ) ENGINE MergeTree()
                         PARTITION BY toDate(timestamp)
                         ORDER BY (serviceName, -toUnixTimestamp(timestamp))
---->
CREATE TABLE issue_502
		(
			  Part UInt8
			, Col1 UInt8
			, Col2 UInt8
		) Engine MergeTree
			ORDER BY Part
			PARTITION BY (Part)
---->
DROP TABLE issue_502
---->
SELECT * FROM issue_502
---->
CREATE TABLE test_append_struct_a (
			  Col1  UInt32
			, Col2  String
			, Col3  Array(String)
			, Col4  Nullable(UInt8)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_append_struct_b (
			  Col4  Array(UInt32)
			, Col3  Nullable(UInt8)
			, Col2  UInt32
			, Col1  String
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_append_struct_a
---->
DROP TABLE test_append_struct_b
---->
INSERT INTO test_append_struct_a SELECT number, concat('Str_', toString(number)), 
											[concat('Str_', toString(number)), '', concat('Str_', toString(number))], NULL FROM system.numbers 
											LIMIT 10000
---->
INSERT INTO test_append_struct_b SELECT [number, number + 1, number + 2], 
											NULL, number, concat('Str_', toString(number)) FROM system.numbers LIMIT 10000
---->
SELECT number FROM system.numbers LIMIT 5
---->
SELECT * FROM system.numbers LIMIT 2000000
---->
SELECT sleepEachRow(0.001) as Col1 FROM system.numbers LIMIT 1000 SETTINGS max_block_size=10
---->
DROP TABLE issue_584
---->
CREATE TABLE issue_584 (
		Col1 Map(String, String)
	) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS issue_584
---->
INSERT INTO issue_584 values($1)
---->
SELECT * FROM issue_584
---->
DROP TABLE issue_584_complex
---->
CREATE TABLE issue_584_complex (
		Col1 Map(String, Map(UInt8, Array(UInt8)))
	) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS issue_584_complex
---->
INSERT INTO issue_584_complex values($1)
---->
SELECT * FROM issue_584_complex
---->
DROP TABLE test_connection
---->
CREATE TABLE IF NOT EXISTS issue_615
			(id String, ts DateTime64(9))
			ENGINE = MergeTree
			ORDER BY (ts)
---->
DROP TABLE issue_615
---->
DROP TABLE IF EXISTS issue_648
---->
CREATE TABLE issue_648(
				id Int64,
				arr Array(UInt8), 
				map Map(String, UInt8), 
				mul_arr Array(Array(UInt8)), 
				map_arr Map(UInt8, Array(UInt8)), 
				map_map_arr Map(String, Map(String, Array(UInt8))))
			ENGINE = MergeTree
			ORDER BY (id)
---->
DROP TABLE issue_648
---->
INSERT INTO issue_648 VALUES(?, ?, ?, ?, ?, ?)
---->
DROP TABLE test_enum
---->
CREATE TABLE test_enum (
				Col1 Enum8 ('Click'=5, 'House'=25)
			) Engine MergeTree ORDER BY tuple()
---->
CREATE TABLE test_map (
			  Col1 Map(String, UInt64)
			, Col2 Map(String, UInt64)
			, Col3 Map(String, UInt64)
			, Col4 Array(Map(String, String))
			, Col5 Map(LowCardinality(String), LowCardinality(String))
			, Col6 Map(String, Map(String, Int64))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_map
---->
SELECT Col1, Col2, Col3, Col4, Col5, Col6 FROM test_map
---->
CREATE TABLE test_date (
				  ID   UInt8
				, Col1 Date
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_date
---->
DROP TABLE IF EXISTS issue_741
---->
CREATE TABLE issue_741 (
						Col1 String,
						Col2 Int64
					)
					Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_741
---->
INSERT INTO issue_741 (Col2, Col1) VALUES (? ?)
---->
DROP TABLE IF EXISTS issue_741_single
---->
CREATE TABLE issue_741_single (
				Col1 String,
				Col2 Int64
			)
			Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_741_single
---->
INSERT INTO issue_741_single (Col1) VALUES (?)
---->
DROP TABLE IF EXISTS issue_741_random
---->
DROP TABLE issue_741_random
---->
DROP TABLE IF EXISTS issue_741_append_random
---->
DROP TABLE issue_741_append_random
---->
DROP TABLE IF EXISTS issue_741_std_append_random
---->
DROP TABLE issue_741_std_append_random
---->
DROP TABLE IF EXISTS issue_751
---->
CREATE TABLE issue_751 (
				Col1 Nullable(String),
				Col2 String,
				Col3 Nullable(Int8),
				Col4 Nullable(Int64),
				Col5 LowCardinality(Nullable(String))
			)
			Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE issue_751
---->
SELECT * FROM issue_751
---->
SELECT (NULL, NULL)
---->
SELECT tuple(NULL)
---->
CREATE TABLE test_nullable_string_insert (
			  Col1 String
			, Col2 Nullable(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_nullable_string_insert
---->
INSERT INTO test_nullable_string_insert (Col1, Col2) VALUES ('Val1', 'Val2'), ('Val11', NULL)
---->
SELECT * FROM test_nullable_string_insert
---->
SELECT groupArray(('a', ['time1', 'time2'])) as val
---->
CREATE TABLE test_issue_798 (
				  Col1 Bool
				, Col2 Bool
				, Col3 Array(Bool)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_issue_798
---->
OPTIMIZE TABLE test_issue_798 DEDUPLICATE
---->
SELECT COUNT(*) FROM test_issue_798
---->
CREATE TABLE test_issue_798 (
				  Col1 Bool
				, Col2 Bool
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_812 (
			Col1 Tuple(name String, age UInt8),
			Col2 Tuple(String, UInt8),
			Col3 Tuple(name String, id String),
			Col4 Array(Tuple(name String, age UInt8))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_812
---->
CREATE TABLE test_813 (
		  	IntValue Int64,
			Exemplars Nested (
				Attributes Map(LowCardinality(String), String)
			) CODEC(ZSTD(1)) 
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_813
---->
INSERT INTO test_813 (IntValue, Exemplars.Attributes) VALUES (?,?)
---->
CREATE TABLE test_816 (
			  Col1 Tuple(count Nullable(Int64), products Array(Tuple(price Nullable(Float64), qty Nullable(Int64))), price Nullable(Float64))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_816
---->
SELECT Col1 FROM test_816
---->
SELECT {groupBy:Identifier} as groupBy, SUM(Col2), {stringVal:String} FROM test_870 GROUP BY {groupBy:Identifier}
---->
CREATE TABLE test_955 (
			Col1 Nullable(UInt64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_955
---->
INSERT INTO test_955 VALUES (123), (NULL)
---->
SELECT * FROM test_955
---->
DROP TABLE IF EXISTS issue_1827
---->
DROP TABLE IF EXISTS test_issue_1849_decimal128
---->
CREATE TABLE test_issue_1849_decimal128 (value Decimal(38, 0)) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM issue_1877_no_such_table
---->
DROP TABLE IF EXISTS issue_1932
---->
CREATE TABLE issue_1932 (c LowCardinality(Nullable(String))) ENGINE MergeTree ORDER BY tuple()
---->
SELECT c FROM issue_1932 ORDER BY c NULLS LAST
---->
SELECT toString({p:Time64(3)})
---->
SYSTEM FLUSH LOGS ON CLUSTER 'default'
---->
CREATE TABLE http_batch_issue (x String) ENGINE MergeTree ORDER BY tuple()
---->
DROP TABLE http_batch_issue
---->
CREATE TABLE IF NOT EXISTS test_json_paths (
				  c JSON(Name String, Age Int64, KeysNumbers Map(String, Int64), SKIP fake.field)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_json_paths
---->
SELECT c FROM test_json_paths
---->
CREATE TABLE IF NOT EXISTS test_json_array (
				  c Array(JSON)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_json_array
---->
SELECT c FROM test_json_array
---->
CREATE TABLE IF NOT EXISTS test_json_empty_array (
				  c Array(JSON)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_json_empty_array
---->
SELECT c FROM test_json_empty_array
---->
CREATE TABLE IF NOT EXISTS test_json_struct (
				  c JSON(Name String, Age Int64, KeysNumbers Map(String, Int64), SKIP fake.field)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_json_struct
---->
SELECT c FROM test_json_struct
---->
CREATE TABLE IF NOT EXISTS test_json_fast_struct (
				  c JSON(Name String, Age Int64, KeysNumbers Map(String, Int64), SKIP fake.field)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_json_fast_struct
---->
SELECT c FROM test_json_fast_struct
---->
SET output_format_native_write_json_as_string=1
---->
SET output_format_json_quote_64bit_integers=0
---->
SET date_time_output_format='iso'
---->
CREATE TABLE IF NOT EXISTS test_json_string (
				  c JSON(Name String, Age Int64, KeysNumbers Map(String, Int64), SKIP fake.field)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_json_string
---->
SELECT c FROM test_json_string
---->
CREATE TABLE IF NOT EXISTS test_json_batch_flush (
				  c JSON
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_json_batch_flush
---->
SELECT c FROM test_json_batch_flush
---->
SELECT ['{"x":5}','{"y":6}']::Array(JSON)::Dynamic AS c
---->
SELECT ['{"x":5}','{"y":6}']::Array(JSON)::Variant(Array(JSON)) AS c
---->
SELECT '{"x": "test"}'::JSON(x LowCardinality(Nullable(String)))
---->
SELECT '{"x": "test"}'::Nullable(JSON)
---->
SELECT NULL::Nullable(JSON)
---->
SELECT arrayJoin(['{"x": 1}', '{"x": 2}', '{"x": 3}']::Array(Nullable(JSON)))
---->
CREATE TABLE test_lowcardinality (
		      ID UInt64
			, Col1 LowCardinality(String)
			, Col2 LowCardinality(FixedString(2))
			, Col3 Array(LowCardinality(String))
			, Col4 Array(Array(LowCardinality(String)))
			, Col5 LowCardinality(Nullable(String))
			, Col6 Array(Array(LowCardinality(Nullable(String))))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_lowcardinality
---->
SELECT COUNT() FROM test_lowcardinality
---->
SELECT * FROM test_lowcardinality WHERE ID = $1
---->
CREATE TABLE test_lowcardinality (
		      ID UInt64
			, Col1 LowCardinality(String)
			, Col2 LowCardinality(FixedString(2))
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_lowcardinality_flush (
			  Col1 LowCardinality(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_lowcardinality_flush
---->
SELECT * FROM test_lowcardinality_flush
---->
CREATE TABLE test_map (
			  Col1 Map(String, UInt64)
			, Col2 Map(String, UInt64)
			, Col3 Map(String, UInt64)
			, Col4 Array(Map(String, String))
			, Col5 Map(LowCardinality(String), LowCardinality(String))
			, Col6 Map(String, Map(String,UInt64))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_map
---->
SELECT * FROM test_map
---->
CREATE TABLE test_map_parameterized_key (
			  Col1 Map(DateTime64(3, 'UTC'), String)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_map (
			  Col1 Map(String, UInt64)
			, Col2 Map(String, UInt64)
			, Col3 Map(String, UInt64)
			, Col4 Map(Enum16('one' = 1, 'two' = 2), UInt64)
			, Col5 Map(String, Enum16('one' = 1, 'two' = 2))
			, Col6 Map(Enum8('one' = 1, 'two' = 2), Enum8('red' = 1, 'blue' = 2))
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_map WHERE Col1['key_col_1_10_1'] = $1
---->
CREATE TABLE test_map_flush (
			  Col1 Map(String, UInt64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_map_flush
---->
SELECT * FROM test_map_flush
---->
CREATE TABLE test_map_ordered (
			  Col1 Map(String, String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_map_ordered
---->
SELECT * FROM test_map_ordered
---->
CREATE TABLE test_map_nil (
			  Col1 Map(String, UInt64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_map_nil
---->
CREATE TABLE test_map (
			  Col1 Map(String, UInt64)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_nested (
				Col1 Nested(
					  Col1_N1 String
				)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_nested
---->
SELECT * FROM test_nested
---->
CREATE TABLE test_nested (
				Col1 Nested(
					  Col1_N1 UInt8
					, Col2_N1 UInt8
				)
				, Col2 Nested(
					  Col1_N2 UInt8
					, Col2_N2 Nested(
						  Col1_N2_N1 UInt8
						, Col2_N2_N1 UInt8
					)
				)
			) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_nested_flush (
				Col1 Nested(
					  Col1_N1 UInt8
					, Col2_N1 UInt8
				)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_nested_flush
---->
SELECT * FROM test_nested_flush
---->
SELECT NULL FROM system.numbers_mt LIMIT 10
---->
CREATE TABLE test_nullable_array (
		  Col1  Array(Nullable(Bool))
		, Col2  Array(Nullable(UInt8))
		, Col3  Array(Nullable(Date))
		, Col4  Array(Nullable(Date32))
		, Col5  Array(Nullable(DateTime))
		, Col6  Array(Nullable(DateTime64))
		, Col7  Array(Nullable(Decimal(18,5)))
		, Col8  Array(Nullable(Enum8  ('click'   = 1,  'house' = 2)))
		, Col9  Array(Nullable(Enum16 ('click'   = 1,  'house' = 2)))
		, Col10 Array(Nullable(FixedString(5)))
		, Col11 Array(Nullable(IPv4))
		, Col12 Array(Nullable(IPv6))
		, Col13 Array(Nullable(String))
		, Col14 Array(Nullable(UUID))
	) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_nullable_array
---->
SELECT * FROM test_nullable_array
---->
SELECT {num:UInt64}, {str:String}, {array:Array(String)}, {escaped:String}, {backslash:String}
---->
SELECT {num:UInt64}, {str:String}
---->
SELECT {value:String}
---->
SELECT {column:Identifier} FROM {database:Identifier}.{table:Identifier} LIMIT 1 OFFSET 100
---->
SELECT {ts:DateTime}
---->
SELECT {str:String}, {ts:DateTime}
---->
SELECT {d:DateTime64(3, 'UTC')}
---->
SELECT {id:UUID}, {addr:IPv4}, {ids:Array(UUID)}
---->
SELECT sum(Col1) FROM test_readonly_user
---->
CREATE TABLE some_table (Col1 UInt8) Engine MergeTree() ORDER BY tuple()
---->
INSERT INTO test_readonly_user VALUES (0)
---->
drop table
---->
DROP TABLE test_readonly_user
---->
set setting
---->
SET log_queries = 0
---->
INSERT INTO test_readonly_user VALUES (5)
---->
SELECT 'ABC' AS col1, 42 AS col2, 5 AS col3, NULL AS col4
---->
SELECT number, 'ABC_' || CAST(number AS String) AS col1, now() AS time FROM system.numbers LIMIT 5
---->
CREATE TABLE test_array_tuple_nullable_field_panic (
		    c1 Int32,
			c2 Array(Tuple(c3 String, c4 Nullable(Int32)))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_array_tuple_nullable_field_panic
---->
SELECT c1, c2 FROM test_array_tuple_nullable_field_panic
---->
CREATE TABLE test_array_tuple_non_null (
		    c1 Int32,
			c2 Array(Tuple(c3 String, c4 Int32))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_array_tuple_non_null
---->
SELECT c1, c2 FROM test_array_tuple_non_null
---->
CREATE TABLE test_simple_aggregate_function (
			  Col1 UInt64
			, Col2 SimpleAggregateFunction(sum, Double)
			, Col3 SimpleAggregateFunction(sumMap, Tuple(Array(Int16), Array(UInt64)))
			, Col4 SimpleAggregateFunction(anyLast, JSON)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_simple_aggregate_function
---->
SELECT * FROM test_simple_aggregate_function
---->
SELECT {m:Map(String, Bool)} = map('a', true)
---->
CREATE TABLE std_test_array (
			  Col1 Array(String)
			, Col2 Array(Array(UInt32))
			, Col3 Array(Array(Array(DateTime)))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_array
---->
SELECT * FROM std_test_array
---->
CREATE TABLE std_test_bigint (
			  Col1 Int128
			, Col2 Array(Int128)
			, Col3 Int256
			, Col4 Array(Int256)
			, Col5 UInt256
			, Col6 Array(UInt256)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_bigint
---->
SELECT * FROM std_test_bigint
---->
DROP TABLE test_nullable_bigint
---->
CREATE TABLE std_test_bool (
				    Col1 Bool
				  , Col2 Bool
				  , Col3 Array(Bool)
				  , Col4 Nullable(Bool)
				  , Col5 Array(Nullable(Bool))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_bool
---->
SELECT * FROM std_test_bool
---->
DROP TABLE IF EXISTS std_test_array_compress
---->
CREATE TABLE std_test_array_compress (
						  Col1 Array(Int32),
					      Col2 Int32         
					) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_array_compress
---->
SELECT * FROM std_test_array_compress ORDER BY Col2 ASC
---->
DROP TABLE IF EXISTS std_test_dsn_array_compress
---->
CREATE TABLE std_test_dsn_array_compress (
					  Col1 Array(String)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_dsn_array_compress
---->
SELECT * FROM std_test_dsn_array_compress
---->
DROP TABLE IF EXISTS std_test_array_compress_with_level
---->
CREATE TABLE std_test_array_compress_with_level (
					  Col1 Array(String)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_array_compress_with_level
---->
SELECT * FROM std_test_array_compress_with_level
---->
CREATE TABLE std_test_invalid_dsn_array_compress (
					  Col1 Array(String)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE empty_example
---->
DROP TABLE IF EXISTS empty_example
---->
CREATE TABLE empty_example (
					  Col1 UInt64
					, Col2 String
					, Col3 FixedString(3)
					, Col4 UUID
					, Col5 Map(String, UInt64)
					, Col6 Array(String)
					, Col7 Tuple(String, UInt64, Array(Map(String, UInt64)))
					, Col8 DateTime
				) Engine = MergeTree() ORDER BY tuple()
---->
SELECT Col1 FROM empty_example
---->
SELECT * FROM empty_example
---->
SELECT sleep(3), number FROM numbers(10)
---->
CREATE TABLE std_clickhouse_test_conn_check (
			Value String
		) Engine MergeTree() ORDER BY tuple()
---->
INSERT INTO `std_clickhouse_test_conn_check` VALUES
---->
DROP TABLE IF EXISTS std_clickhouse_test_conn_check
---->
set idle_connection_timeout=1
---->
set tcp_keep_alive_timeout=0
---->
SELECT 1, sleep(3)
---->
SELECT 1, sleep(0.1)
---->
CREATE TABLE std_test_date32 (
				  ID   UInt8
				, Col1 Date32
				, Col2 Nullable(Date32)
				, Col3 Array(Date32)
				, Col4 Array(Nullable(Date32))
				, Col5 Nullable(Date32)
				, Col6 Date32
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_date32
---->
SELECT * FROM std_test_date32 WHERE ID = $1
---->
CREATE TABLE std_test_date (
				  ID   UInt8
				, Col1 Date
				, Col2 Nullable(Date)
				, Col3 Array(Date)
				, Col4 Array(Nullable(Date))
				, Col5 Date
				, Col6 Nullable(Date)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_date
---->
SELECT * FROM std_test_date WHERE ID = $1
---->
CREATE TABLE std_test_datetime64 (
				  Col1 DateTime64(3)
				, Col2 DateTime64(9, 'Europe/Moscow')
				, Col3 DateTime64(0, 'Europe/London')
				, Col4 Nullable(DateTime64(3, 'Europe/Moscow'))
				, Col5 Array(DateTime64(3, 'Europe/Moscow'))
				, Col6 Array(Nullable(DateTime64(3, 'Europe/Moscow')))
				, Col7 DateTime64(0, 'Europe/London')
				, Col8 Nullable(DateTime64(3, 'Europe/Moscow'))
				, Col9 DateTime64(9)
				, Col10 DateTime64(9)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_datetime64
---->
SELECT * FROM std_test_datetime64
---->
SELECT toDateTime64(1546300800.123, 3)
---->
CREATE TABLE std_test_datetime (
				  Col1 DateTime
				, Col2 DateTime('Europe/Moscow')
				, Col3 DateTime('Europe/London')
				, Col4 Nullable(DateTime('Europe/Moscow'))
				, Col5 Array(DateTime('Europe/Moscow'))
				, Col6 Array(Nullable(DateTime('Europe/Moscow')))
			    , Col7 DateTime
			    , Col8 Nullable(DateTime)
				,Col9 DateTime
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_datetime
---->
SELECT * FROM std_test_datetime
---->
DROP TABLE `std_test_ddl`
---->
CREATE TABLE `std_test_ddl` (`1` String) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE std_test_decimal (
				Col1 Decimal32(5)
				, Col2 Decimal(18,5)
				, Col3 Nullable(Decimal(15,3))
				, Col4 Array(Decimal(15,3))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_decimal
---->
SELECT * FROM std_test_decimal
---->
CREATE TABLE IF NOT EXISTS std_test_dynamic (
				  c Dynamic                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS std_test_dynamic
---->
SELECT c FROM std_test_dynamic
---->
CREATE TABLE IF NOT EXISTS std_test_dynamic_scan_with_type (
				  c Dynamic                 
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS std_test_dynamic_scan_with_type
---->
SELECT c FROM std_test_dynamic_scan_with_type
---->
CREATE TABLE std_test_enum (
				  Col1 Enum  ('hello'   = 1,  'world' = 2)
				, Col2 Enum8 ('click'   = 5,  'house' = 25)
				, Col3 Enum16('house' = 10,   'value' = 50)
				, Col4 Array(Enum8  ('click' = 1, 'house' = 2))
				, Col5 Array(Enum16 ('click' = 1, 'house' = 2))
				, Col6 Array(Nullable(Enum8  ('click' = 1, 'house' = 2)))
				, Col7 Array(Nullable(Enum16 ('click' = 1, 'house' = 2)))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_enum
---->
SELECT * FROM std_test_enum
---->
CREATE TABLE std_test_enum_int (
				  Col1 Enum  ('hello' = 1,  'world' = 2)
				, Col2 Enum8 ('click' = 5,  'house' = 25)
				, Col3 Enum16('house' = 10,   'value' = 50)
				, Col4 Array(Enum8  ('click' = 1, 'house' = 2))
				, Col5 Array(Enum16 ('click' = 1, 'house' = 2))
				, Col6 Array(Nullable(Enum8  ('click' = 1, 'house' = 2)))
				, Col7 Array(Nullable(Enum16 ('click' = 1, 'house' = 2)))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_enum_int
---->
SELECT 
					  CAST(Col1, 'Int8') AS Col1
					, CAST(Col2, 'Int8') AS Col2
					, CAST(Col3, 'Int16') AS Col3
					, Col4
					, Col5
					, Col6
					, Col7
					FROM std_test_enum_int
---->
SELECT * FROM std_external_table_1
---->
SELECT COUNT(*) FROM std_external_table_1
---->
SELECT COUNT(*) FROM std_external_table_2
---->
SELECT COUNT(*) FROM (SELECT * FROM std_external_table_1 UNION ALL SELECT * FROM std_external_table_2)
---->
CREATE TABLE std_test_fixed_string (
						Col1 FixedString(10)
					, Col2 FixedString(10)
					, Col3 Nullable(FixedString(10))
					, Col4 Array(FixedString(10))
					, Col5 Array(Nullable(FixedString(10)))
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_fixed_string
---->
SELECT * FROM std_test_fixed_string
---->
CREATE TABLE std_test_geo_linestring (
					Col1 LineString
					, Col2 Array(LineString)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_geo_linestring
---->
SELECT * FROM std_test_geo_linestring
---->
CREATE TABLE std_test_geo_multi_linestring (
					  Col1 MultiLineString
					, Col2 Array(MultiLineString)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_geo_multi_linestring
---->
SELECT * FROM std_test_geo_multi_linestring
---->
CREATE TABLE std_test_geo_multipolygon (
					  Col1 MultiPolygon
					, Col2 Array(MultiPolygon)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_geo_multipolygon
---->
SELECT * FROM std_test_geo_multipolygon
---->
CREATE TABLE std_test_geo_point (
					Col1 Point
					, Col2 Array(Point)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_geo_point
---->
SELECT * FROM std_test_geo_point
---->
CREATE TABLE std_test_geo_polygon (
					  Col1 Polygon
					, Col2 Array(Polygon)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_geo_polygon
---->
SELECT * FROM std_test_geo_polygon
---->
CREATE TABLE std_test_geo_ring (
					Col1 Ring
					, Col2 Array(Ring)
				) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_geo_ring
---->
SELECT * FROM std_test_geo_ring
---->
CREATE TABLE std_test_ipv4 (
				  Col1 IPv4
				, Col2 IPv4
				, Col3 Nullable(IPv4)
				, Col4 Array(IPv4)
				, Col5 Array(Nullable(IPv4))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_ipv4
---->
SELECT * FROM std_test_ipv4
---->
CREATE TABLE IF NOT EXISTS std_test_json_paths (
				  c JSON(Name String, Age Int64, KeysNumbers Map(String, Int64), SKIP fake.field)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS std_test_json_paths
---->
SELECT c FROM std_test_json_paths
---->
CREATE TABLE IF NOT EXISTS std_test_json_struct (
				  c JSON(Name String, Age Int64, KeysNumbers Map(String, Int64), SKIP fake.field)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS std_test_json_struct
---->
SELECT c FROM std_test_json_struct
---->
SET output_format_json_quote_64bit_integers = 0
---->
CREATE TABLE IF NOT EXISTS std_test_json_string (
				  c JSON(Name String, Age Int64, KeysNumbers Map(String, Int64), SKIP fake.field)
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS std_test_json_string
---->
SELECT c FROM std_test_json_string
---->
SELECT arrayJoin(['{"x": 1}', '{"x": 2}', '{"x": 3}']::Array(JSON))
---->
SELECT '{"x": 1}'::Nullable(JSON)
---->
CREATE TABLE std_test_lowcardinality (
		      ID UInt64
			, Col1 LowCardinality(String)
			, Col2 LowCardinality(FixedString(2))
			, Col3 Array(LowCardinality(String))
			, Col4 Array(Array(LowCardinality(String)))
			, Col5 LowCardinality(Nullable(String))
			, Col6 Array(Array(LowCardinality(Nullable(String))))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_lowcardinality
---->
SELECT COUNT() FROM std_test_lowcardinality
---->
SELECT * FROM std_test_lowcardinality WHERE ID = $1
---->
CREATE TABLE std_test_map (
			  Col1 Map(String, UInt64)
			, Col2 Map(String, UInt64)
			, Col3 Map(String, UInt64)
			, Col4 Array(Map(String, String))
			, Col5 Map(LowCardinality(String), LowCardinality(String))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_map
---->
SELECT * FROM std_test_map
---->
CREATE TABLE std_test_map_parameterized_key (
			  Col1 Map(DateTime64(3, 'UTC'), String)
		) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE std_test_map_nil (
			  Col1 Map(String, UInt64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_map_nil
---->
CREATE TABLE std_test_mat_cols (
			  Col1 Int128
			, Col2 MATERIALIZED Col1 * 2
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_mat_cols
---->
SELECT * FROM std_test_mat_cols
---->
SELECT Col1, Col2 from std_test_mat_cols
---->
DROP TABLE std_nested_test
---->
CREATE TABLE std_nested_test (
				Col1 Nested(
					  Col1_N1 UInt8
					, Col2_N1 UInt8
				)
				, Col2 Nested(
					  Col1_N2 UInt8
					, Col2_N2 Nested(
						  Col1_N2_N1 UInt8
						, Col2_N2_N1 UInt8
					)
				)
			) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM std_nested_test
---->
CREATE TABLE std_test_string (Col1 String, Col2 Nullable(String)) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_string
---->
SELECT * FROM std_test_string
---->
DROP TABLE IF EXISTS std_test_temporary_table
---->
CREATE TEMPORARY TABLE std_test_temporary_table (
							ID UInt64
						)
---->
INSERT INTO std_test_temporary_table (ID) SELECT number AS ID FROM system.numbers LIMIT 10
---->
SELECT ID AS ID FROM std_test_temporary_table
---->
SELECT ID AS ID1 FROM std_test_temporary_table
---->
SELECT ID AS ID2 FROM std_test_temporary_table
---->
SELECT
		number AS n
		, COUNT()
	FROM (
		SELECT number FROM system.numbers LIMIT 100
	) GROUP BY n WITH TOTALS
---->
CREATE TABLE std_test_tuple (
			  Col1 Tuple(String, Int64)
			, Col2 Tuple(String, Int8, DateTime('Europe/Lisbon'))
			, Col3 Tuple(name1 DateTime('Europe/Lisbon'), name2 FixedString(2), name3 Map(String, String))
			, Col4 Array(Array( Tuple(String, Int64) ))
			, Col5 Tuple(LowCardinality(String),           Array(LowCardinality(String)))
			, Col6 Tuple(LowCardinality(Nullable(String)), Array(LowCardinality(Nullable(String))))
			, Col7 Tuple(String, Int64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE std_test_tuple
---->
SELECT * FROM std_test_tuple
---->
SELECT version()
---->
CREATE TEMPORARY TABLE std_test_uuid (
				  Col1 UUID
				, Col2 UUID
			) Engine Memory()
---->
SELECT * FROM std_test_uuid
---->
DROP TABLE std_test_uuid
---->
CREATE TEMPORARY TABLE std_test_nullable_uuid (
						  Col1 Nullable(UUID)
						, Col2 Nullable(UUID)
					)
---->
SELECT * FROM std_test_nullable_uuid
---->
TRUNCATE TABLE std_test_nullable_uuid
---->
DROP TABLE IF EXISTS std_test_nullable_uuid
---->
CREATE TABLE IF NOT EXISTS std_test_variant (
				  c Variant(
			    	Bool,
			    	Int64,
			    	String,
			    	DateTime64(3),
			    	Array(String),
			    	Array(UInt8),
			    	Array(Map(String, String)),
			    	Map(String, String),
			    	Map(String, Int64),
			    )                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS std_test_variant
---->
SELECT c FROM std_test_variant
---->
CREATE TABLE IF NOT EXISTS std_test_variant_scan_with_type (
				  c Variant(Bool, Int64)                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS std_test_variant_scan_with_type
---->
SELECT c FROM std_test_variant_scan_with_type
---->
CREATE TABLE stress (
	  Col1 UInt8
	, Col2 UUID
	, Col3 DateTime
	, Col4 Array(Array(DateTime))
	, Col5 Map(String, String)
) Engine Null
---->
DROP TABLE IF EXISTS stress
---->
CREATE TABLE test_string (
			  	  Col1 String
		        , Col2 String
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_string
---->
SELECT * FROM test_string
---->
CREATE TABLE test_string (
			  Col1 String
			, Col2 Array(String)
			, Col3 Nullable(String)
			, Col4 String
			, Col5 Nullable(String)
      		, Col6 String
		    , Col7 String
		    , Col8 Nullable(String)
		    , Col9 String
		    , Col10 Nullable(String)
			, Col11 Nullable(String)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE benchmark_string
---->
CREATE TABLE benchmark_string (Col1 UInt64, Col2 String) ENGINE = Null
---->
INSERT INTO benchmark_string VALUES
---->
DROP TABLE string_flush
---->
CREATE TABLE string_flush (
			  Col1 FixedString(10)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM string_flush
---->
CREATE TABLE test_append_struct (
			  HCol1 UInt8
			, HCol2 String
			, HCol3 Array(Nullable(String))
			, HCol4 Nullable(UInt8)
			, Col1  UInt8
			, Col2  String
			, Col3  Array(String)
			, Col4  Nullable(UInt8)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE test_append_struct
---->
SELECT * FROM test_append_struct WHERE HCol1 = $1
---->
SELECT * FROM test_append_struct ORDER BY HCol1
---->
CREATE TABLE test_tuple (
			  Col1 Tuple(String, Int64)
			, Col2 Tuple(String, Int8, DateTime('Europe/Lisbon'))
			, Col3 Tuple(name1 DateTime('Europe/Lisbon'), name2 FixedString(2), name3 Map(String, String))
			, Col4 Array(Array( Tuple(String, Int64) ))
			, Col5 Tuple(LowCardinality(String),           Array(LowCardinality(String)))
			, Col6 Tuple(LowCardinality(Nullable(String)), Array(LowCardinality(Nullable(String))))
			, Col7 Tuple(String, Int64)
			, Col8 Tuple(Nullable(String),Nullable(String))
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_tuple
---->
SELECT * FROM test_tuple
---->
CREATE TABLE test_tuple (Col1 Tuple(name String, `1` Int64)) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_tuple (Col1 Tuple(name String, city String), Col2 Int32) Engine MergeTree() ORDER BY tuple()
---->
SELECT Col1 FROM test_tuple ORDER BY Col2 ASC
---->
CREATE TABLE test_tuple (Col1 Tuple(name String, id Int64)) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_tuple (Col1 Tuple(id Int64, code Int64)) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_tuple (Col1 Tuple(Id Int64, Code Int64)) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_tuple (Col1 Tuple(`56` String, `a22\`` Int64)) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_tuple (Col1 Tuple(String, Int64)) Engine MergeTree() ORDER BY tuple()
---->
CREATE TABLE test_tuple (
			  ID   UInt64
			, Col1 Tuple(String, Int64)
			, Col2 Tuple(String, Int8, DateTime)
			, Col3 Tuple(DateTime, FixedString(2), Map(String, String))
			, Col4 Tuple(String, Int64)
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM test_tuple WHERE ID = $1
---->
CREATE TABLE test_tuple_flush (
			Col1 Tuple(name String, id Int64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_tuple_flush
---->
SELECT * FROM test_tuple_flush
---->
CREATE TABLE test_tuple_valuer (
			Col1 Tuple(name String, id Int64)
		) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_tuple_valuer
---->
SELECT * FROM test_tuple_valuer
---->
CREATE TABLE IF NOT EXISTS issue_1050 (
				  Col1 UInt8
				, Col2 UInt8                   
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS issue_1050
---->
SELECT Col1, Col2 from issue_1050
---->
CREATE TABLE test_uuid (
				  Col1 UUID
				, Col2 UUID
				, Col3 Array(UUID)
				, Col4 Nullable(UUID)
				, Col5 Array(Nullable(UUID))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_uuid
---->
SELECT * FROM test_uuid
---->
CREATE TABLE test_uuid_stringer (
				  Col1 UUID
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_uuid_stringer
---->
SELECT * FROM test_uuid_stringer
---->
CREATE TABLE test_uuid_nullable (
				  Col1 Nullable(UUID)
				, Col2 Nullable(UUID)
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_uuid_nullable
---->
SELECT * FROM test_uuid_nullable
---->
TRUNCATE TABLE test_uuid_nullable
---->
CREATE TABLE test_uuid_columnar (
				  Col1 UUID
				, Col2 UUID
				, Col3 Nullable(UUID)
				, Col4 Array(UUID)
				, Col5 Array(Nullable(UUID))
			) Engine MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_uuid_columnar
---->
SELECT * FROM test_uuid_columnar LIMIT $1
---->
DROP TABLE IF EXISTS benchmark_uuid
---->
CREATE TABLE benchmark_uuid (Col1 UInt64, Col2 UUID) ENGINE = Null
---->
INSERT INTO benchmark_uuid VALUES
---->
DROP TABLE IF EXISTS uuid_flush
---->
CREATE TABLE uuid_flush (
			  Col1 UUID
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM uuid_flush
---->
DROP TABLE IF EXISTS uuid_valuer1
---->
CREATE TABLE uuid_valuer1 (
			  Col1 UUID
		) Engine MergeTree() ORDER BY tuple()
---->
SELECT * FROM uuid_valuer1
---->
CREATE TABLE IF NOT EXISTS test_variant (
				  c Variant(
			    	Bool,
			    	Int64,
			    	String,
			    	DateTime64(3),
			    	Array(String),
			    	Array(UInt8),
			    	Array(Map(String, String)),
			    	Map(String, String),
			    	Map(String, Int64),
			    )                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_variant
---->
SELECT c FROM test_variant
---->
CREATE TABLE IF NOT EXISTS test_variant_prefix (
				  c Variant(LowCardinality(String))                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_variant_prefix
---->
SELECT c FROM test_variant_prefix
---->
CREATE TABLE IF NOT EXISTS test_variant_array (
				  c Array(Variant(Int64))                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_variant_array
---->
SELECT c FROM test_variant_array
---->
CREATE TABLE IF NOT EXISTS test_variant_empty_array (
				  c Array(Variant(Int64))                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_variant_empty_array
---->
SELECT c FROM test_variant_empty_array
---->
CREATE TABLE IF NOT EXISTS test_variant_scan_with_type (
				  c Variant(Bool, Int64)                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_variant_scan_with_type
---->
SELECT c FROM test_variant_scan_with_type
---->
CREATE TABLE IF NOT EXISTS test_variant_batch_flush (
				  c Variant(Bool, Int64)                  
			) Engine = MergeTree() ORDER BY tuple()
---->
DROP TABLE IF EXISTS test_variant_batch_flush
---->
SELECT c FROM test_variant_batch_flush
---->
