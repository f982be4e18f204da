SELECT CAST(42, 'String')
---->
SELECT CAST('2025-01-01' AS Date)
---->
SELECT '123'::UInt32
---->
SELECT CRC32('ClickHouse')
---->
SELECT CRC32IEEE('ClickHouse')
---->
SELECT CRC64('ClickHouse')
---->
SELECT DATE('2023-01-01')
---->
SELECT fqdn()
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
SELECT IPv4CIDRToRange(toIPv4('192.168.5.2'), 16)
---->
IPv4NumToString(3232235521)
---->
SELECT
    IPv4NumToStringClassC(ClientIP) AS k,
    count() AS c
FROM test.hits
GROUP BY k
ORDER BY c DESC
LIMIT 10
---->
IPv4StringToNum('192.168.0.1')
---->
SELECT
    IPv4StringToNumOrDefault('127.0.0.1') AS valid,
    IPv4StringToNumOrDefault('invalid') AS invalid
---->
SELECT
IPv4StringToNumOrNull('127.0.0.1') AS valid,
IPv4StringToNumOrNull('invalid') AS invalid
---->
SELECT IPv6NumToString(IPv4ToIPv6(IPv4StringToNum('192.168.0.1'))) AS addr
---->
SELECT IPv6CIDRToRange(toIPv6('2001:0db8:0000:85a3:0000:0000:ac1f:8001'), 32)
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
SELECT addr, cutIPv6(IPv6StringToNum(addr), 0, 0) FROM (SELECT ['notaddress', '127.0.0.1', '1111::ffff'] AS addr) ARRAY JOIN addr
---->
SELECT
    IPv6NumToString(IPv6StringToNumOrDefault('2001:db8::1')) AS valid,
    IPv6NumToString(IPv6StringToNumOrDefault('invalid')) AS invalid
---->
SELECT
    IPv6NumToString(IPv6StringToNumOrNull('2001:db8::1')) AS valid,
    IPv6StringToNumOrNull('invalid') AS invalid
---->
CREATE TABLE test (json JSON(max_dynamic_paths=1)) ENGINE = Memory
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONAllPaths(json) FROM test
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONAllPathsWithTypes(json) FROM test
---->
INSERT INTO test FORMAT JSONEachRow {"json": {"a": 42}}, {"json": {"b": "Hello"}}, {"json": {"a": [1, 2, 3], "c": "2020-01-01"}}
SELECT json, JSONAllValues(json) FROM test
---->
SELECT
    JSONArrayLength(''),
    JSONArrayLength('[1,2,3]')
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONDynamicPaths(json) FROM test
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONDynamicPathsWithTypes(json) FROM test
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
SELECT JSONMergePatch('{"a":1}', '{"name": "joey"}', '{"name": "tom"}', '{"name": "zoey"}') AS res
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONSharedDataPaths(json) FROM test
---->
INSERT INTO test FORMAT JSONEachRow {"json" : {"a" : 42}}, {"json" : {"b" : "Hello"}}, {"json" : {"a" : [1, 2, 3], "c" : "2020-01-01"}}
SELECT json, JSONSharedDataPathsWithTypes(json) FROM test
---->
SELECT JSONType('{"a": "hello", "b": [-100, 200.0, 300]}') = 'Object'
---->
SELECT JSONType('{"a": "hello", "b": [-100, 200.0, 300]}', 'a') = 'String'
---->
SELECT JSONType('{"a": "hello", "b": [-100, 200.0, 300]}', 'b') = 'Array'
---->
SELECT JSON_EXISTS('{"hello":1}', '$.hello')
---->
SELECT JSON_EXISTS('{"hello":{"world":1}}', '$.hello.world')
---->
SELECT JSON_EXISTS('{"hello":["world"]}', '$.hello[*]')
---->
SELECT JSON_EXISTS('{"hello":["world"]}', '$.hello[0]')
---->
SELECT JSON_QUERY('{"hello":"world"}', '$.hello')
---->
SELECT JSON_QUERY('{"array":[[0, 1, 2, 3, 4, 5], [0, -1, -2, -3, -4, -5]]}', '$.array[*][0 to 2, 4]')
---->
SELECT JSON_QUERY('{"hello":2}', '$.hello')
---->
SELECT toTypeName(JSON_QUERY('{"hello":2}', '$.hello'))
---->
SELECT JSON_VALUE('{"hello":"world"}', '$.hello')
---->
SELECT JSON_VALUE('{"array":[[0, 1, 2, 3, 4, 5], [0, -1, -2, -3, -4, -5]]}', '$.array[*][0 to 2, 4]')
---->
SELECT JSON_VALUE('{"hello":2}', '$.hello')
---->
SELECT JSON_VALUE('{"hello":"world"}', '$.b') settings function_json_value_return_type_allow_nullable=true
---->
SELECT L1Distance((1, 2), (2, 3))
---->
SELECT L1Norm((1, 2))
---->
SELECT L1Normalize((1, 2))
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
SELECT L2Norm((1, 2))
---->
SELECT L2Normalize((3, 4))
---->
SELECT L2SquaredDistance([1, 2, 3], [0, 0, 0])
---->
SELECT L2SquaredNorm((1, 2))
---->
SELECT LinfDistance((1, 2), (2, 3))
---->
SELECT LinfNorm((1, -2))
---->
SELECT LinfNormalize((3, 4))
---->
SELECT LpDistance((1, 2), (2, 3), 3)
---->
SELECT LpNorm((1, -2), 2)
---->
SELECT LpNormalize((3, 4), 5)
---->
SELECT MACNumToString(149809441867716) AS mac_address
---->
SELECT MACStringToNum('01:02:03:04:05:06') AS mac_numeric
---->
SELECT MACStringToOUI('00:50:56:12:34:56') AS oui
---->
SELECT HEX(MD4('abc'))
---->
SELECT HEX(MD5('abc'))
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
SELECT HEX(RIPEMD160('The quick brown fox jumps over the lazy dog'))
---->
SELECT HEX(SHA1('abc'))
---->
SELECT HEX(SHA224('abc'))
---->
SELECT HEX(SHA256('abc'))
---->
SELECT HEX(SHA384('abc'))
---->
SELECT HEX(SHA512('abc'))
---->
SELECT HEX(SHA512_256('abc'))
---->
SELECT URLHash('https://www.clickhouse.com')
---->
SELECT URLHash('https://www.clickhouse.com/docs', 0)
---->
SELECT URLHash('https://www.clickhouse.com/docs', 1)
---->
SELECT URLHierarchy('https://example.com/a/b?c=1')
---->
SELECT URLPathHierarchy('https://example.com/a/b?c=1')
---->
SELECT UTCTimestamp()
---->
SELECT UTMToGeo(448251.6, 5411935.13, 31, 1)
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
SELECT YYYYMMDDToDate(20230911)
---->
SELECT YYYYMMDDToDate32(20000507)
---->
SELECT YYYYMMDDToDateTime(20230911131415)
---->
SELECT YYYYMMDDhhmmssToDateTime64(20230911131415, 3, 'Asia/Istanbul')
---->
SELECT abs(-0.5)
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
SELECT accurateCastOrNull(42, 'String')
---->
SELECT accurateCastOrNull('abc', 'UInt32')
---->
SELECT acos(0.5)
---->
SELECT acosh(1)
---->
SELECT addDate(toDate('2018-01-01'), INTERVAL 3 YEAR)
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
SELECT addInterval(INTERVAL 1 DAY, INTERVAL 1 MONTH)
---->
SELECT addInterval((INTERVAL 1 DAY, INTERVAL 1 YEAR), INTERVAL 1 MONTH)
---->
SELECT addInterval(INTERVAL 2 DAY, INTERVAL 1 DAY)
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
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addMilliseconds(date_time, 1000) AS add_milliseconds_with_date_time,
    addMilliseconds(date_time_string, 1000) AS add_milliseconds_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::DateTime, INTERVAL 10 millisecond)
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
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    addNanoseconds(date_time, 1000) AS add_nanoseconds_with_date_time,
    addNanoseconds(date_time_string, 1000) AS add_nanoseconds_with_date_time_string
---->
SELECT dateAdd('1998-06-16'::DateTime, INTERVAL 1000 nanosecond)
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
WITH toDate('2018-01-01') AS date
SELECT addTupleOfIntervals(date, (INTERVAL 1 DAY, INTERVAL 1 MONTH, INTERVAL 1 YEAR))
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
SET allow_introspection_functions=1
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
SELECT number % 2 AS even, aggThrow(number) FROM numbers(10) GROUP BY even
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
SELECT alphaTokens('abca1abc')
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
SELECT anyHeavy(AirlineID) AS res
FROM ontime
---->
CREATE TABLE tab(city Nullable(String)) ENGINE=Memory
---->
INSERT INTO tab (city) VALUES ('Amsterdam'), (NULL), ('New York'), ('Tokyo'), ('Valencia'), (NULL)
---->
SELECT anyLast(city), anyLastRespectNulls(city) FROM tab
---->
SELECT appendTrailingCharIfAbsent('https://example.com', '/')
---->
SELECT approx_top_k(2)(k)
FROM VALUES('k Char, w UInt64', ('y', 1), ('y', 1), ('x', 5), ('y', 1), ('z', 10))
---->
SELECT approx_top_sum(2)(k, w)
FROM VALUES('k Char, w UInt64', ('y', 1), ('y', 1), ('x', 5), ('y', 1), ('z', 10))
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
SELECT argMax(user, salary) FROM salary
---->
SELECT argMax(a, b), max(b) FROM test
---->
SELECT argMax(a, (b,a)) FROM test
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
SELECT arrayDifference([1, 2, 3, 4])
---->
SELECT arrayDifference([0, 10000000000000000000])
---->
SELECT arrayDistinct([1, 2, 2, 3, 1])
---->
SELECT arrayDotProduct([1, 2, 3], [4, 5, 6]) AS res, toTypeName(res)
---->
SELECT dotProduct((1::UInt16, 2::UInt8, 3::Float32),(4::Int16, 5::Float32, 6::UInt8)) AS res, toTypeName(res)
---->
SELECT arrayElement(arr, 2) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElement(arr, -1) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arr[2] FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElement(arr, 4) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElementOrNull(arr, 2) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElementOrNull(arr, -1) FROM (SELECT [1, 2, 3] AS arr)
---->
SELECT arrayElementOrNull(arr, 4) FROM (SELECT [1, 2, 3] AS arr)
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
SELECT arrayEnumerateDense([10, 20, 10, 30])
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
SELECT arrayJaccardIndex([1, 2], [2, 3]) AS res
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
SELECT arrayLevenshteinDistance([1, 2, 4], [1, 2, 3])
---->
SELECT arrayLevenshteinDistanceWeighted(['A', 'B', 'C'], ['A', 'K', 'L'], [1.0, 2, 3], [3.0, 4, 5])
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
SELECT arrayPopBack([1, 2, 3]) AS res
---->
SELECT arrayPopFront([1, 2, 3]) AS res
---->
SELECT arrayProduct([1, 2, 3, 4])
---->
SELECT arrayProduct(x, y -> x+y, [2, 2], [2, 2]) AS res
---->
SELECT arrayPushBack(['a'], 'b') AS res
---->
SELECT arrayPushFront(['b'], 'a') AS res
---->
SELECT arrayROCAUC([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
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
SELECT arrayRemove([1, 2, 2, 3], 2)
---->
SELECT arrayRemove(['a', NULL, 'b', NULL], NULL)
---->
SELECT arrayResize([1], 3)
---->
SELECT arrayResize([1], 3, NULL)
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
SELECT arrayRotateLeft([1,2,3,4,5,6], 2) as res
---->
SELECT arrayRotateLeft([1,2,3,4,5,6], -2) as res
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
SELECT arrayShingles([1, 2, 3, 4], 3) as res
---->
SELECT arrayShuffle([1, 2, 3, 4])
---->
SELECT arrayShuffle([1, 2, 3, 4], 41)
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
SELECT arrayWithConstant(3, 1)
---->
SELECT arrayZip(['a', 'b', 'c'], [5, 2, 1])
---->
SELECT arrayZipUnaligned(['a'], [1, 2, 3])
---->
SELECT ascii('234')
---->
SELECT asin(1.0) = pi() / 2, sin(asin(1)), asin(sin(1))
---->
SELECT toTypeName(asin(1.0::Float32))
---->
SELECT asin(1.1), asin(-2), asin(inf), asin(nan)
---->
SELECT asinh(0)
---->
CREATE TABLE t_null (x Int8, y Nullable(Int8))
ENGINE=MergeTree()
ORDER BY x
---->
INSERT INTO t_null VALUES (1, NULL), (2, 3)
---->
SELECT assumeNotNull(y) FROM t_null
---->
SELECT toTypeName(assumeNotNull(y)) FROM t_null
---->
SELECT atan(1)
---->
SELECT atan2(1, 1)
---->
SELECT atanh(0)
---->
EXECUTE as u1
---->
SELECT currentUser(), authenticatedUser()
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
SELECT
toHour(EventTime) AS h,
count() AS c,
bar(c, 0, 600000, 20) AS bar
FROM test.hits
GROUP BY h
ORDER BY h ASC
---->
SELECT base32Decode('IVXGG33EMVSA====')
---->
SELECT base32Encode('Encoded')
---->
SELECT base58Decode('JxF12TrwUP45BMd')
---->
SELECT base58Encode('ClickHouse')
---->
SELECT base64Decode('Y2xpY2tob3VzZQ==')
---->
SELECT base64Encode('clickhouse')
---->
SELECT base64URLDecode('aHR0cHM6Ly9jbGlja2hvdXNlLmNvbQ')
---->
SELECT base64URLEncode('https://clickhouse.com')
---->
SELECT 'some/long/path/to/file' AS a, basename(a)
---->
SELECT 'some\\long\\path\\to\\file' AS a, basename(a)
---->
SELECT 'some-file-name' AS a, basename(a)
---->
SELECT bin(14)
---->
SELECT bin(toFloat32(number)) AS bin_presentation FROM numbers(15, 2)
---->
SELECT bin(toFloat64(number)) AS bin_presentation FROM numbers(15, 2)
---->
SELECT bin(toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')) AS bin_uuid
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
SELECT bin(333), bitCount(333)
---->
SELECT bitHammingDistance(111, 121)
---->
SELECT
    CAST('5', 'UInt8') AS original,
    bin(original) AS original_binary,
    bitNot(original) AS result,
    bin(bitNot(original)) AS result_binary
---->
SELECT
    a,
    b,
    bitOr(a, b)
FROM bits
---->
SELECT bitPositionsToArray(toInt8(1)) AS bit_positions
---->
SELECT bitPositionsToArray(toInt8(-1)) AS bit_positions
---->
SELECT 99 AS a, bin(a), bitRotateLeft(a, 2) AS a_rotated, bin(a_rotated)
---->
SELECT 99 AS a, bin(a), bitRotateRight(a, 2) AS a_rotated, bin(a_rotated)
---->
SELECT 99 AS a, bin(a), bitShiftLeft(a, 2) AS a_shifted, bin(a_shifted)
---->
SELECT 'abc' AS a, hex(a), bitShiftLeft(a, 4) AS a_shifted, hex(a_shifted)
---->
SELECT toFixedString('abc', 3) AS a, hex(a), bitShiftLeft(a, 4) AS a_shifted, hex(a_shifted)
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
SELECT
    a,
    b,
    bitXor(a, b)
FROM bits
---->
SELECT bitmapToArray(bitmapAnd(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
SELECT bitmapAndCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
SELECT bitmapToArray(bitmapAndnot(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
SELECT bitmapAndnotCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
SELECT bitmapBuild([1, 2, 3, 4, 5]) AS res, toTypeName(res)
---->
SELECT bitmapCardinality(bitmapBuild([1, 3, 3, 5, 7, 7])) AS res
---->
SELECT bitmapContains(bitmapBuild([1, 2, 3]), 2) AS res
---->
SELECT bitmapHasAll(bitmapBuild([1, 2, 3]), bitmapBuild([2, 3])) AS res
---->
SELECT bitmapHasAny(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5])) AS res
---->
SELECT bitmapMax(bitmapBuild([1, 2, 3, 4, 5])) AS res
---->
SELECT bitmapMin(bitmapBuild([3, 5, 2, 6])) AS res
---->
SELECT bitmapToArray(bitmapOr(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
SELECT bitmapOrCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
SELECT bitmapToArray(bitmapSubsetInRange(bitmapBuild([1, 2, 3, 4, 5]), 2, 5)) AS res
---->
SELECT bitmapToArray(bitmapSubsetLimit(bitmapBuild([1, 5, 3, 2, 8]), 3, 2)) AS res
---->
SELECT bitmapToArray(bitmapBuild([1, 2, 3, 4, 5])) AS res
---->
SELECT bitmapToArray(bitmapTransform(bitmapBuild([1, 2, 3, 4, 5]), [2, 4], [20, 40])) AS res
---->
SELECT bitmapToArray(bitmapXor(bitmapBuild([1, 2, 3]), bitmapBuild([3, 4, 5]))) AS res
---->
SELECT bitmapXorCardinality(bitmapBuild([1,2,3]), bitmapBuild([3,4,5])) AS res
---->
SELECT bitmaskToArray(50) AS powers_of_two
---->
SELECT bitmaskToArray(8) AS powers_of_two
---->
SELECT bitmaskToList(50) AS powers_list
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
SELECT blockSize()
FROM system.numbers LIMIT 5
---->
SELECT
    number,
    number * 1.5
FROM numbers(10)
---->
SELECT boundingRatio(number, number * 1.5)
FROM numbers(10)
---->
SELECT buildId()
---->
SELECT byteHammingDistance('karolin', 'kathrin')
---->
SELECT byteSize('string')
---->
SELECT byteSize(NULL, 1, 0.3, '')
---->
SELECT byteSwap(3351772109)
---->
SELECT byteSwap(54)
---->
SELECT byteSwap(4135)
---->
SELECT byteSwap(123294967295)
---->
SELECT caseFoldUTF8('Straße')
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
SELECT cbrt(8)
---->
SELECT ceiling(123.45, 1) AS rounded
---->
SELECT ceiling(123.45, -1)
---->
SELECT changeDay('2024-01-31'::DateTime, 15)
---->
SELECT changeHour('2024-01-01 12:00:00'::DateTime, 5)
---->
SELECT changeMinute('2024-01-01 12:30:00'::DateTime, 45)
---->
SELECT changeMonth('2024-01-01'::DateTime, 12)
---->
SELECT changeSecond('2024-01-01 12:30:45'::DateTime, 15)
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
SELECT clamp(5, 1, 10) AS result
---->
SELECT clamp(-3, 0, 7) AS result
---->
SELECT clamp(15, 0, 7) AS result
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
SELECT compareSubstrings('Saxony', 'Anglo-Saxon', 0, 6, 5) AS result
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
SELECT connectionId()
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
SELECT conv('10', 10, 2)
---->
SELECT conv('FF', 16, 10)
---->
SELECT conv('-1', 10, 16)
---->
SELECT conv('1010', 2, 8)
---->
SELECT convertCharset('Café', 'UTF-8', 'ISO-8859-1')
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
SELECT corrStable(x_value, y_value)
FROM series
---->
SELECT cos(0)
---->
SELECT cosh(0)
---->
SELECT cosineDistance((1, 2), (2, 3))
---->
SELECT cosineDistanceTransposed(vec, array(1, 2), 16) FROM qbit
---->
SELECT cosineDistanceTransposedQuantized(vec, [0.1, -0.5]::Array(Float32), 8) FROM qbit
---->
SELECT count() FROM t
---->
-- This example shows that `count(DISTINCT num)` is performed by the `uniqExact` function according to the `count_distinct_implementation` setting value.
SELECT name, value FROM system.settings WHERE name = 'count_distinct_implementation'
---->
SELECT count(DISTINCT num) FROM t
---->
SELECT countDigits(toDecimal32(1, 9)), countDigits(toDecimal32(-1, 9)),
       countDigits(toDecimal64(1, 18)), countDigits(toDecimal64(-1, 18)),
       countDigits(toDecimal128(1, 38)), countDigits(toDecimal128(-1, 38))
---->
SELECT countEqual([1, 2, NULL, NULL], NULL)
---->
SELECT countMatches('hello 123 world 456 test', '[0-9]+')
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
CREATE TABLE series(i UInt32, x_value Float64, y_value Float64) ENGINE = Memory
---->
SELECT covarPop(x_value, y_value)
FROM series
---->
SELECT arrayMap(x -> round(x, 3), arrayJoin(covarPopMatrix(a, b, c, d))) AS covarPopMatrix
FROM test
---->
INSERT INTO series(i, x_value, y_value) VALUES (1, 5.6,-4.4),(2, -9.6,3),(3, -1.3,-4),(4, 5.3,9.7),(5, 4.4,0.037),(6, -8.6,-7.8),(7, 5.1,9.3),(8, 7.9,-3.6),(9, -8.2,0.62),(10, -3,7.3)
---->
SELECT covarPopStable(x_value, y_value)
FROM series
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
SELECT currentDatabase()
---->
SELECT CURRENT_DATABASE
---->
SELECT currentProfiles()
---->
SELECT currentQueryID()
---->
SELECT currentRoles()
---->
SELECT currentSchemas(true)
---->
SELECT currentUser()
---->
SELECT CURRENT_USER
---->
SELECT cutFragment('http://example.com/path?query=value#fragment123')
---->
WITH
    IPv6StringToNum('2001:0DB8:AC10:FE01:FEED:BABE:CAFE:F00D') AS ipv6,
    IPv4ToIPv6(IPv4StringToNum('192.168.0.1')) AS ipv4
SELECT
    cutIPv6(ipv6, 2, 0),
    cutIPv6(ipv4, 0, 2)
---->
SELECT cutQueryString('http://example.com/path?query=value&param=123#fragment')
---->
SELECT cutQueryStringAndFragment('http://example.com/path?query=value&param=123#fragment')
---->
SELECT
    cutToFirstSignificantSubdomain('https://news.clickhouse.com.tr/'),
    cutToFirstSignificantSubdomain('www.tr'),
    cutToFirstSignificantSubdomain('tr')
---->
SELECT cutToFirstSignificantSubdomainCustom('bar.foo.there-is-no-such-domain', 'public_suffix_list')
---->
SELECT cutToFirstSignificantSubdomainCustomRFC('www.foo', 'public_suffix_list')
---->
SELECT cutToFirstSignificantSubdomainCustomWithWWW('www.foo', 'public_suffix_list')
---->
SELECT cutToFirstSignificantSubdomainCustomWithWWWRFC('https://www.subdomain.example.custom', 'public_suffix_list')
---->
SELECT
    cutToFirstSignificantSubdomain('http://user:password@example.com:8080'),
    cutToFirstSignificantSubdomainRFC('http://user:password@example.com:8080')
---->
SELECT
    cutToFirstSignificantSubdomainWithWWW('https://news.clickhouse.com.tr/'),
    cutToFirstSignificantSubdomainWithWWW('www.tr'),
    cutToFirstSignificantSubdomainWithWWW('tr')
---->
SELECT
    cutToFirstSignificantSubdomainWithWWW('http:%2F%2Fwwwww.nova@mail.ru/economicheskiy'),
    cutToFirstSignificantSubdomainWithWWWRFC('http:%2F%2Fwwwww.nova@mail.ru/economicheskiy')
---->
SELECT
    cutURLParameter('http://bigmir.net/?a=b&c=d&e=f#g', 'a') AS url_without_a,
    cutURLParameter('http://bigmir.net/?a=b&c=d&e=f#g', ['c', 'e']) AS url_without_c_and_e
---->
SELECT cutWWW('http://www.example.com/path?query=value#fragment')
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
SELECT dateTimeToUUIDv7(toDateTime('2021-08-15 18:57:56', 'Asia/Shanghai'))
---->
SELECT dateTimeToUUIDv7(toDateTime('2021-08-15 18:57:56'))
---->
SELECT now(), dateTrunc('hour', now())
---->
SELECT now(), dateTrunc('hour', now(), 'Asia/Istanbul')
---->
SELECT decodeHTMLComponent('&lt;div&gt;Hello &amp; &quot;World&quot;&lt;/div&gt;')
---->
SELECT decodeURLComponent('http://127.0.0.1:8123/?query=SELECT%201%3B') AS DecodedURL
---->
SELECT decodeURLFormComponent('http://127.0.0.1:8123/?query=SELECT%201+2%2B3') AS DecodedURL
---->
SELECT decodeXMLComponent('&lt;tag&gt;Hello &amp; World&lt;/tag&gt;')
---->
-- Re-using the table from the encrypt function example
SELECT comment, hex(secret) FROM encryption_test
---->
SELECT comment, decrypt('aes-256-cfb128', secret, '12345678910121314151617181920212') AS plaintext FROM encryption_test
---->
SELECT defaultProfiles()
---->
SELECT defaultRoles()
---->
SELECT defaultValueOfArgumentType(CAST(1 AS Int8))
---->
SELECT defaultValueOfArgumentType(CAST(1 AS Nullable(Int8)))
---->
SELECT defaultValueOfTypeName('Int8')
---->
SELECT defaultValueOfTypeName('Nullable(Int8)')
---->
SELECT degrees(3.141592653589793)
---->
SELECT deltaSum(arrayJoin([1, 2, 3]))
---->
SELECT deltaSum(arrayJoin([1, 2, 3, 0, 3, 4, 2, 3]))
---->
SELECT deltaSum(arrayJoin([2.25, 3, 4.5]))
---->
SELECT deltaSumTimestamp(value, timestamp)
FROM (SELECT number AS timestamp, [0, 4, 8, 3, 0, 0, 0, 1, 3, 5][number] AS value FROM numbers(1, 10))
---->
SELECT round(toFloat32(dequantizeInt8ToBFloat16(quantizeBFloat16ToInt8(0.5::BFloat16))), 4)
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
CREATE TABLE hierarchy_source (id UInt64, parent_id UInt64, name String) ENGINE = Memory
---->
INSERT INTO hierarchy_source VALUES (0, 0, 'Root'), (1, 0, 'Level 1 - Node 1'), (2, 1, 'Level 2 - Node 2'), (3, 1, 'Level 2 - Node 3'), (4, 2, 'Level 3 - Node 4'), (5, 2, 'Level 3 - Node 5'), (6, 3, 'Level 3 - Node 6')
---->
CREATE DICTIONARY hierarchical_dictionary (id UInt64, parent_id UInt64 HIERARCHICAL, name String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'hierarchy_source' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetChildren('hierarchical_dictionary', 2)
---->
CREATE TABLE all_types_test (id UInt32, Date_value Date) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '2020-01-01')
---->
CREATE DICTIONARY all_types_dict (id UInt32, Date_value Date) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetDate('all_types_dict', 'Date_value', 1)
---->
INSERT INTO all_types_test VALUES (1, '2024-01-15')
---->
-- for key which exists
SELECT dictGetDate('all_types_dict', 'Date_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetDateOrDefault('all_types_dict', 'Date_value', 999, toDate('1970-01-01'))
---->
CREATE TABLE all_types_test (id UInt32, DateTime_value DateTime) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '2024-01-15 10:30:00')
---->
CREATE DICTIONARY all_types_dict (id UInt32, DateTime_value DateTime) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetDateTime('all_types_dict', 'DateTime_value', 1)
---->
-- for key which exists
SELECT dictGetDateTime('all_types_dict', 'DateTime_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetDateTimeOrDefault('all_types_dict', 'DateTime_value', 999, toDateTime('1970-01-01 00:00:00'))
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
CREATE TABLE all_types_test (id UInt32, Float32_value Float32) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -123.123)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Float32_value Float32) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetFloat32('all_types_dict', 'Float32_value', 1)
---->
INSERT INTO all_types_test VALUES (1, 123.45)
---->
-- for key which exists
SELECT dictGetFloat32('all_types_dict', 'Float32_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1.0)
SELECT dictGetFloat32OrDefault('all_types_dict', 'Float32_value', 999, -1.0)
---->
CREATE TABLE all_types_test (id UInt32, Float64_value Float64) ENGINE = MergeTree() ORDER BY id
---->
CREATE DICTIONARY all_types_dict (id UInt32, Float64_value Float64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetFloat64('all_types_dict', 'Float64_value', 1)
---->
INSERT INTO all_types_test VALUES (1, 987654.123456)
---->
-- for key which exists
SELECT dictGetFloat64('all_types_dict', 'Float64_value', 1)
---->
-- for key which does not exist, returns the provided default value (nan)
SELECT dictGetFloat64OrDefault('all_types_dict', 'Float64_value', 999, nan)
---->
SELECT dictGetHierarchy('hierarchical_dictionary', 5)
---->
CREATE TABLE all_types_test (id UInt32, IPv4_value IPv4) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '192.168.0.1')
---->
CREATE DICTIONARY all_types_dict (id UInt32, IPv4_value IPv4) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetIPv4('all_types_dict', 'IPv4_value', 1)
---->
-- for key which exists
SELECT dictGetIPv4('all_types_dict', 'IPv4_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetIPv4OrDefault('all_types_dict', 'IPv4_value', 999, toIPv4('0.0.0.0'))
---->
CREATE TABLE all_types_test (id UInt32, IPv6_value IPv6) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '2001:db8:85a3::8a2e:370:7334')
---->
CREATE DICTIONARY all_types_dict (id UInt32, IPv6_value IPv6) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetIPv6('all_types_dict', 'IPv6_value', 1)
---->
-- for key which exists
SELECT dictGetIPv6('all_types_dict', 'IPv6_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetIPv6OrDefault('all_types_dict', 'IPv6_value', 999, '::1'::IPv6)
---->
CREATE TABLE all_types_test (id UInt32, Int16_value Int16) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -5000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int16_value Int16) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt16('all_types_dict', 'Int16_value', 1)
---->
-- for key which exists
SELECT dictGetInt16('all_types_dict', 'Int16_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt16OrDefault('all_types_dict', 'Int16_value', 999, -1)
---->
CREATE TABLE all_types_test (id UInt32, Int32_value Int32) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -1000000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int32_value Int32) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt32('all_types_dict', 'Int32_value', 1)
---->
-- for key which exists
SELECT dictGetInt32('all_types_dict', 'Int32_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt32OrDefault('all_types_dict', 'Int32_value', 999, -1)
---->
CREATE TABLE all_types_test (id UInt32, Int64_value Int64) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -9223372036854775807)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int64_value Int64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt64('all_types_dict', 'Int64_value', 1)
---->
INSERT INTO all_types_test VALUES (1, -9223372036854775808)
---->
-- for key which exists
SELECT dictGetInt64('all_types_dict', 'Int64_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt64OrDefault('all_types_dict', 'Int64_value', 999, -1)
---->
CREATE TABLE all_types_test (id UInt32, Int8_value Int8) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, -100)
---->
CREATE DICTIONARY all_types_dict (id UInt32, Int8_value Int8) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetInt8('all_types_dict', 'Int8_value', 1)
---->
-- for key which exists
SELECT dictGetInt8('all_types_dict', 'Int8_value', 1)
---->
-- for key which does not exist, returns the provided default value (-1)
SELECT dictGetInt8OrDefault('all_types_dict', 'Int8_value', 999, -1)
---->
CREATE TABLE task_priority_source (task_id UInt64, priority_level String) ENGINE = Memory
---->
INSERT INTO task_priority_source VALUES (1, 'low'), (2, 'high'), (3, 'medium'), (4, 'high')
---->
CREATE DICTIONARY task_id_to_priority_dictionary (task_id UInt64, priority_level String) PRIMARY KEY task_id SOURCE(CLICKHOUSE(TABLE 'task_priority_source' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 0 MAX 0)
---->
SELECT arraySort(dictGetKeys('task_id_to_priority_dictionary', 'priority_level', 'high')) AS ids
---->
SELECT dictGetOrDefault('ext_dict_mult', 'c1', toUInt64(999), 0) AS val
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
SELECT dictGetRoot('hierarchical_dictionary', 5)
---->
CREATE TABLE all_types_test (id UInt32, String_value String) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 'test string')
---->
CREATE DICTIONARY all_types_dict (id UInt32, String_value String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetString('all_types_dict', 'String_value', 1)
---->
-- for key which exists
SELECT dictGetString('all_types_dict', 'String_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetStringOrDefault('all_types_dict', 'String_value', 999, 'default')
---->
CREATE TABLE all_types_test (id UInt32, UInt16_value UInt16) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 5000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt16_value UInt16) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt16('all_types_dict', 'UInt16_value', 1)
---->
-- for key which exists
SELECT dictGetUInt16('all_types_dict', 'UInt16_value', 1)
---->
-- for key which does not exist, returns the provided default value (0)
SELECT dictGetUInt16OrDefault('all_types_dict', 'UInt16_value', 999, 0)
---->
CREATE TABLE all_types_test (id UInt32, UInt32_value UInt32) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 1000000)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt32_value UInt32) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt32('all_types_dict', 'UInt32_value', 1)
---->
-- for key which exists
SELECT dictGetUInt32('all_types_dict', 'UInt32_value', 1)
---->
-- for key which does not exist, returns the provided default value (0)
SELECT dictGetUInt32OrDefault('all_types_dict', 'UInt32_value', 999, 0)
---->
CREATE TABLE all_types_test (id UInt32, UInt64_value UInt64) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 9223372036854775807)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt64_value UInt64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt64('all_types_dict', 'UInt64_value', 1)
---->
-- for key which exists
SELECT dictGetUInt64('all_types_dict', 'UInt64_value', 1)
---->
-- for key which does not exist, returns the provideddefault value (0)
SELECT dictGetUInt64OrDefault('all_types_dict', 'UInt64_value', 999, 0)
---->
CREATE TABLE all_types_test (id UInt32, UInt8_value UInt8) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, 100)
---->
CREATE DICTIONARY all_types_dict (id UInt32, UInt8_value UInt8) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUInt8('all_types_dict', 'UInt8_value', 1)
---->
-- for key which exists
SELECT dictGetUInt8('all_types_dict', 'UInt8_value', 1)
---->
-- for key which does not exist, returns the provided default value (0)
SELECT dictGetUInt8OrDefault('all_types_dict', 'UInt8_value', 999, 0)
---->
CREATE TABLE all_types_test (id UInt32, UUID_value UUID) ENGINE = MergeTree() ORDER BY id
---->
INSERT INTO all_types_test VALUES (1, '123e4567-e89b-12d3-a456-426614174000')
---->
CREATE DICTIONARY all_types_dict (id UInt32, UUID_value UUID) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'all_types_test' DB currentDatabase())) LAYOUT(HASHED()) LIFETIME(MIN 300 MAX 600)
---->
SELECT dictGetUUID('all_types_dict', 'UUID_value', 1)
---->
INSERT INTO all_types_test VALUES (1, '550e8400-e29b-41d4-a716-446655440000')
---->
-- for key which exists
SELECT dictGetUUID('all_types_dict', 'UUID_value', 1)
---->
-- for key which does not exist, returns the provided default value
SELECT dictGetUUIDOrDefault('all_types_dict', 'UUID_value', 999, '00000000-0000-0000-0000-000000000000'::UUID)
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
-- valid hierarchy
SELECT dictIsIn('hierarchical_dictionary', 6, 3)
---->
-- invalid hierarchy
SELECT dictIsIn('hierarchical_dictionary', 3, 5)
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
SELECT displayName()
---->
DROP TABLE IF EXISTS test_dynamic
---->
CREATE TABLE test_dynamic(d Dynamic) ENGINE = Memory
---->
INSERT INTO test_dynamic VALUES (42), (NULL), ('Hello'), ([1, 2, 3]), ('2020-01-01'), (map(1, 2)), (43), ([4, 5]), (NULL), ('World'), (map(3, 4))
---->
SELECT distinctDynamicTypes(d) FROM test_dynamic
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
SELECT distinctJSONPathsAndTypes(json) FROM test_json
---->
CREATE TABLE test_json(json JSON(a UInt32)) ENGINE = Memory
---->
INSERT INTO test_json VALUES ('{"b" : "Hello"}'), ('{"b" : "World", "c" : [1, 2, 3]}')
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
SELECT divideOrNull(25, 0)
---->
SELECT domain('svn+ssh://some.svn-hosting.com:80/repo/trunk')
---->
SELECT
    domain('http://user:password@example.com:8080/path?query=value#fragment'),
    domainRFC('http://user:password@example.com:8080/path?query=value#fragment')
---->
SELECT domainWithoutWWW('http://paul@www.example.com:80/')
---->
SELECT
    domainWithoutWWW('http://user:password@www.example.com:8080/path?query=value#fragment'),
    domainWithoutWWWRFC('http://user:password@www.example.com:8080/path?query=value#fragment')
---->
SELECT dotProduct((1, 2), (3, 4))
---->
SELECT dotProductTransposed(vec, array(1, 2), 16) FROM qbit
---->
SELECT dotProductTransposedQuantized(vec, [0.1, -0.5]::Array(Float32), 8) FROM qbit
---->
SELECT dumpColumnStructure(CAST('2018-01-01 01:02:03', 'DateTime'))
---->
CREATE TABLE test (d Dynamic) ENGINE = Memory
---->
INSERT INTO test VALUES (NULL), (42), ('Hello, World!'), ([1, 2, 3])
---->
SELECT d, dynamicType(d), dynamicElement(d, 'String'), dynamicElement(d, 'Int64'), dynamicElement(d, 'Array(Int64)'), dynamicElement(d, 'Date'), dynamicElement(d, 'Array(String)') FROM test
---->
SELECT d, dynamicType(d) FROM test
---->
SELECT e()
---->
SELECT editDistance('clickhouse', 'mouse')
---->
SELECT editDistanceUTF8('我是谁', '我是我') AS distance
---->
SELECT empty([])
---->
SELECT emptyArrayDate()
---->
SELECT emptyArrayDateTime()
---->
SELECT emptyArrayFloat32()
---->
SELECT emptyArrayFloat64()
---->
SELECT emptyArrayInt16()
---->
SELECT emptyArrayInt32()
---->
SELECT emptyArrayInt64()
---->
SELECT emptyArrayInt8()
---->
SELECT emptyArrayString()
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
SELECT emptyArrayUInt16()
---->
SELECT emptyArrayUInt32()
---->
SELECT emptyArrayUInt64()
---->
SELECT emptyArrayUInt8()
---->
SELECT enabledProfiles()
---->
SELECT enabledRoles()
---->
SELECT encodeURLComponent('http://127.0.0.1:8123/?query=SELECT 1;') AS EncodedURL
---->
SELECT encodeURLFormComponent('http://127.0.0.1:8123/?query=SELECT 1 2+3') AS EncodedURL
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
SELECT endsWith('ClickHouse', 'House')
---->
SELECT endsWithCaseInsensitive('ClickHouse', 'HOUSE')
---->
SELECT endsWithCaseInsensitiveUTF8('данных', 'ых')
---->
SELECT endsWithUTF8('данных', 'ых')
---->
CREATE TABLE entropy (`vals` UInt32,`strings` String)
ENGINE = Memory
---->
INSERT INTO entropy VALUES (1, 'A'), (1, 'A'), (1,'A'), (1,'A'), (2,'B'), (2,'B'), (2,'C'), (2,'D')
---->
SELECT entropy(vals), entropy(strings) FROM entropy
---->
SELECT 1 = 1, 1 = 2
---->
SELECT erf(3 / sqrt(2))
---->
SELECT erfc(0)
---->
SELECT errorCodeToName(252)
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
SELECT round(exp(-1), 4)
---->
SELECT exp10(2)
---->
SELECT exp2(3)
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
SELECT extract('test@clickhouse.com', '.*@(.*)$')
---->
SELECT extract('test@clickhouse.com', 'no_match')
---->
SELECT extractAll('hello 123 world 456', '[0-9]+')
---->
SELECT extractAll('test@example.com, user@domain.org', '([a-zA-Z0-9]+)@')
---->
WITH '< Server: nginx
< Date: Tue, 22 Jan 2019 00:26:14 GMT
< Content-Type: text/html; charset=UTF-8
< Connection: keep-alive
' AS s
SELECT extractAllGroupsHorizontal(s, '< ([\\w\\-]+): ([^\\r\\n]+)')
---->
WITH '< Server: nginx
< Date: Tue, 22 Jan 2019 00:26:14 GMT
< Content-Type: text/html; charset=UTF-8
< Connection: keep-alive
' AS s
SELECT extractAllGroupsVertical(s, '< ([\\w\\-]+): ([^\\r\\n]+)')
---->
WITH '< Server: nginx
< Date: Tue, 22 Jan 2019 00:26:14 GMT
< Content-Type: text/html; charset=UTF-8
< Connection: keep-alive
' AS s
SELECT extractGroups(s, '< ([\\w\\-]+): ([^\\r\\n]+)')
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
SELECT extractURLParameter('http://example.com/?param1=value1&param2=value2', 'param1')
---->
SELECT extractURLParameterNames('http://example.com/?param1=value1&param2=value2')
---->
SELECT extractURLParameters('http://example.com/?param1=value1&param2=value2')
---->
factorial(10)
---->
SELECT farmFingerprint64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS FarmFingerprint, toTypeName(FarmFingerprint) AS type
---->
SELECT farmHash64(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS FarmHash, toTypeName(FarmHash) AS type
---->
SELECT formatReadableSize(filesystemAvailable()) AS "Available space"
---->
SELECT formatReadableSize(filesystemCapacity()) AS "Capacity"
---->
SELECT formatReadableSize(filesystemUnreserved()) AS "Free space"
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
SELECT firstSignificantSubdomain('https://news.clickhouse.com/')
---->
SELECT firstSignificantSubdomainCustom('https://news.example.com', 'public_suffix_list')
---->
SELECT firstSignificantSubdomainCustomRFC('https://news.example.com', 'public_suffix_list')
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
CREATE TABLE tab(t Tuple(a UInt32, b Tuple(c String, d UInt32))) ENGINE = MergeTree ORDER BY tuple()
---->
INSERT INTO tab VALUES ((3, ('c', 4)))
---->
SELECT flattenTuple(t) FROM tab
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
SELECT formatQuery('select a,    b FRom tab WHERE a > 3 and  b < 3')
---->
SELECT formatQuerySingleLine('select a,    b FRom tab WHERE a > 3 and  b < 3')
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
SELECT fragment('https://clickhouse.com/docs/getting-started/quick-start/cloud#1-create-a-clickhouse-service')
---->
SELECT
fromDaysSinceYearZero(739136) AS date1,
fromDaysSinceYearZero(toDaysSinceYearZero(toDate('2023-09-08'))) AS date2
---->
SELECT
fromDaysSinceYearZero32(739136) AS date1,
fromDaysSinceYearZero32(toDaysSinceYearZero(toDate('2023-09-08'))) AS date2
---->
SELECT fromModifiedJulianDay(58849)
---->
SELECT fromModifiedJulianDayOrNull(58849)
---->
SELECT fromModifiedJulianDayOrNull(60000000)
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
SELECT fuzzBits(materialize('abacaba'), 0.1)
FROM numbers(3)
---->
SET allow_fuzz_query_functions = 1
---->
SELECT fuzzQuery('SELECT 1')
---->
SELECT
    gccMurmurHash(1, 2, 3) AS res1,
    gccMurmurHash(('a', [1, 2, 3], 4, (4, ['foo', 'bar'], 1, (1, 2)))) AS res2
---->
SELECT gcd(12, 18)
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
CREATE TABLE tab (id UInt64)
ENGINE = MergeTree()
ORDER BY tuple()
---->
INSERT INTO tab SELECT generateSnowflakeID()
---->
SELECT * FROM tab
---->
SELECT generateSnowflakeID(1), generateSnowflakeID(2)
---->
SELECT generateSnowflakeID('expr', 1)
---->
SELECT generateUUIDv4(number) FROM numbers(3)
---->
SELECT generateUUIDv4(1), generateUUIDv4(1)
---->
SELECT generateUUIDv7(number) FROM numbers(3)
---->
SELECT generateUUIDv7(1), generateUUIDv7(1)
---->
SELECT geoDistance(38.8976, -77.0366, 39.9496, -75.1503) AS geoDistance
---->
SELECT geoToH3(55.71290588, 37.79506683, 15) AS h3Index
---->
SELECT geoToMGRS(2.294497, 48.858222)
---->
SELECT geoToMGRS(2.294497, 48.858222, 3)
---->
SELECT geoToUTM(2.294497, 48.858222)
---->
SELECT geohashDecode('ezs42') AS res
---->
SELECT geohashEncode(-5.60302734375, 42.593994140625) AS res
---->
SELECT geohashesInBox(24.48, 40.56, 24.785, 40.81, 4) AS thasos
---->
SELECT geometryIntersectCartesian([(2., 2.), (2., 3.), (3., 3.), (3., 2.)]::Ring, [(1., 1.), (1., 4.), (4., 4.), (4., 1.)]::Ring)
---->
SELECT geometryIntersectSpherical([[[(4.3613577, 50.8651821), (4.349556, 50.8535879), (4.3602419, 50.8435626), (4.3830299, 50.8428851), (4.3904543, 50.8564867), (4.3613148, 50.8651279)]]], (4.36, 50.85))
---->
-- Over a non-HTTP interface (such as `clickhouse-client` or `clickhouse-local`) there are
-- no request headers, so the function returns an empty string. See the description above
-- for an HTTP example that returns the actual header value.
SELECT getClientHTTPHeader('Content-Type') SETTINGS allow_get_client_http_header = 1
---->
SELECT getMacro('test')
---->
SELECT getMaxTableNameLengthForDatabase('default')
---->
SELECT getMergeTreeSetting('index_granularity')
---->
SELECT getOSKernelVersion()
---->
SELECT getServerPort('tcp_port')
---->
SELECT getServerSetting('allow_use_jemalloc_memory')
---->
SELECT getSetting('enable_analyzer')
---->
SET enable_analyzer = false
---->
SELECT getSettingOrDefault('custom_undef1', 'my_value')
---->
SELECT getSettingOrDefault('custom_undef2', 100)
---->
SELECT getSettingOrDefault('custom_undef3', NULL)
---->
SELECT getSizeOfEnumType(CAST('a' AS Enum8('a' = 1, 'b' = 2))) AS x
---->
SELECT getSubcolumn(array_col, 'size0'), getSubcolumn(tuple_col, 'elem_name')
---->
SELECT getTypeSerializationStreams(tuple('a', 1, 'b', 2))
---->
SELECT getTypeSerializationStreams('Map(String, Int64)')
---->
SELECT 1 IN (1, 2, 3)
---->
SELECT 4 NOT IN (1, 2, 3)
---->
SELECT notNullIn(NULL, tuple(1, NULL))
---->
SELECT nullIn(NULL, tuple(1, NULL))
---->
SELECT globalVariable('max_allowed_packet')
---->
SELECT greatCircleAngle(0, 0, 45, 0) AS angle
---->
SELECT greatCircleDistance(55.755831, 37.617673, -55.755831, -37.617673) AS greatCircleDistance
---->
SELECT 2 > 1, 1 > 2
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
SELECT groupArrayInsertAt(toString(number), number * 2) FROM numbers(5)
---->
SELECT groupArrayInsertAt('-')(toString(number), number * 2) FROM numbers(5)
---->
SELECT groupArrayInsertAt('-', 5)(toString(number), number * 2) FROM numbers(5)
---->
SELECT groupArrayInsertAt(number, 0) FROM numbers_mt(10) SETTINGS max_block_size = 1
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
SELECT groupArraySorted(10)(number) FROM numbers(100)
---->
SELECT groupArraySorted(5)(str) FROM (SELECT toString(number) AS str FROM numbers(5))
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
-- Test data:
-- binary     decimal
-- 00101100 = 44
-- 00011100 = 28
-- 00001101 = 13
-- 01010101 = 85

SELECT groupBitOr(num) FROM t
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
SELECT h3CellAreaM2(579205133326352383) AS area
---->
SELECT h3CellAreaRads2(579205133326352383) AS area
---->
SELECT h3Distance(590080540275638271, 590103561300344831) AS distance
---->
SELECT h3EdgeAngle(10) AS edgeAngle
---->
SELECT h3EdgeLengthKm(15) AS edgeLengthKm
---->
SELECT h3EdgeLengthM(15) AS edgeLengthM
---->
SELECT h3ExactEdgeLengthKm(1310277011704381439) AS exactEdgeLengthKm
---->
SELECT h3ExactEdgeLengthM(1310277011704381439) AS exactEdgeLengthM
---->
SELECT h3ExactEdgeLengthRads(1310277011704381439) AS exactEdgeLengthRads
---->
SELECT h3GetBaseCell(612916788725809151) AS basecell
---->
SELECT h3GetDestinationIndexFromUnidirectionalEdge(1248204388774707197) AS destination
---->
SELECT h3GetFaces(599686042433355775) AS faces
---->
SELECT h3GetIndexesFromUnidirectionalEdge(1248204388774707199) AS indexes
---->
SELECT h3GetOriginIndexFromUnidirectionalEdge(1248204388774707197) AS origin
---->
SELECT h3GetPentagonIndexes(3) AS indexes
---->
SELECT h3GetRes0Indexes() AS indexes
---->
SELECT h3GetResolution(617420388352917503) AS res
---->
SELECT h3GetUnidirectionalEdge(599686042433355775, 599686030622195711)
---->
SELECT h3GetUnidirectionalEdgeBoundary(1248204388774707199) AS boundary
---->
SELECT h3GetUnidirectionalEdgesFromHexagon(599686042433355775) AS edges
---->
SELECT h3HexAreaKm2(13) AS area
---->
SELECT h3HexAreaM2(13) AS area
---->
SELECT h3HexRing(590080540275638271, toUInt16(1)) AS hexRing
---->
SELECT h3IndexesAreNeighbors(617420388351344639, 617420388352655359) AS n
---->
SELECT h3IsPentagon(644721767722457330) AS pentagon
---->
SELECT h3IsResClassIII(617420388352917503) AS res
---->
SELECT h3IsValid(630814730351855103) AS isValid
---->
SELECT h3IsValid(12345) AS isValid
---->
SELECT h3Line(590080540275638271, 590103561300344831) AS indexes
---->
SELECT h3NumHexagons(3) AS numHexagons
---->
SELECT h3PointDistKm(-10.0, 0.0, 10.0, 0.0) AS h3PointDistKm
---->
SELECT h3PointDistM(-10.0, 0.0, 10.0, 0.0) AS h3PointDistM
---->
SELECT h3PointDistRads(-10.0, 0.0, 10.0, 0.0) AS h3PointDistRads
---->
SELECT h3ToCenterChild(577023702256844799, 1) AS centerToChild
---->
SELECT h3ToChildren(599405990164561919, 6) AS children
---->
SELECT h3ToGeo(644325524701193974) AS coordinates
---->
SELECT h3ToGeoBoundary(644325524701193974) AS coordinates
---->
SELECT h3ToParent(599405990164561919, 3) AS parent
---->
SELECT h3ToString(617420388352917503) AS h3_string
---->
SELECT h3UnidirectionalEdgeIsValid(1248204388774707199) AS validOrNot
---->
SELECT arrayJoin(h3kRing(644325529233966508, 1)) AS h3index
---->
SELECT HEX(halfMD5('abc', 'cde', 'fgh'))
---->
SELECT has([1, 2, 3], 2)
---->
SELECT has([1, 2, 3], 4)
---->
SELECT has(map('a', 1, 'b', 2), 'b')
---->
SELECT has('{"a": {"b": 1}}'::JSON, 'a.b')
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
SELECT hasColumnInTable('system','metrics','metric')
---->
SELECT hasColumnInTable('system','metrics','non-existing_column')
---->
SELECT hasPhrase('the quick brown fox jumps', 'quick brown')
---->
SELECT hasPhrase('the quick brown fox jumps', 'quick fox')
---->
SELECT hasSubsequence('Hello World', 'HlWrd')
---->
SELECT hasSubsequence('Hello World', 'xyz')
---->
SELECT hasSubsequenceCaseInsensitive('garbage', 'ARG')
---->
SELECT hasSubsequenceCaseInsensitiveUTF8('ClickHouse - столбцовая система управления базами данных', 'СИСТЕМА')
---->
SELECT hasSubsequenceUTF8('картошка', 'кошка')
---->
SELECT hasSubsequenceUTF8('картошка', 'апельсин')
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
SELECT hasThreadFuzzer()
---->
SELECT hasToken('clickhouse test', 'test')
---->
SELECT hasTokenOrNull('apple banana cherry', 'ban ana')
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
SELECT highlightQuery('SELECT 1')
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
SELECT hiveHash('Hello, world!')
---->
SELECT hop(now(), INTERVAL '1' DAY, INTERVAL '2' DAY)
---->
SELECT hopEnd(now(), INTERVAL '1' DAY, INTERVAL '2' DAY)
---->
SELECT hopStart(now(), INTERVAL '1' DAY, INTERVAL '2' DAY)
---->
SELECT hostName()
---->
SELECT hypot(1, 1)
---->
SELECT icebergBucket(5, 1.0 :: Float32)
---->
SELECT icebergHash(1.0 :: Float32)
---->
SELECT icebergTruncate(3, 'iceberg')
---->
SELECT identity(42)
---->
SELECT if(1, 2 + 2, 2 + 6) AS res
---->
SELECT 1/0 AS infimum, ifNotFinite(infimum,42)
---->
SELECT ifNull('a', 'b'), ifNull(NULL, 'b')
---->
SELECT ignore(0, 'ClickHouse', NULL)
---->
SELECT ilike('ClickHouse', '%house%')
---->
SELECT FlightDate AS k, count() FROM ontime WHERE indexHint(k = '2025-09-15') GROUP BY k ORDER BY k ASC
---->
SELECT indexOf([5, 4, 1, 3], 3)
---->
SELECT indexOf([1, 3, NULL, NULL], NULL)
---->
SELECT indexOfAssumeSorted([1, 3, 3, 3, 4, 4, 5], 4)
---->
SELECT initcap('building for fast')
---->
SELECT initcap('John''s cat won''t eat.')
---->
SELECT initcapUTF8('не тормозит')
---->
CREATE TABLE tmp (str String) ENGINE = Log
---->
INSERT INTO tmp (*) VALUES ('a')
---->
SELECT count(DISTINCT t) FROM (SELECT initialQueryID() AS t FROM remote('127.0.0.{1..3}', currentDatabase(), 'tmp') GROUP BY queryID())
---->
SELECT count(DISTINCT t) FROM (SELECT initialQueryStartTime() AS t FROM remote('127.0.0.{1..3}', currentDatabase(), 'tmp') GROUP BY queryID())
---->
SELECT uniqMerge(state) FROM (SELECT initializeAggregation('uniqState', number % 3) AS state FROM numbers(10000))
---->
SELECT finalizeAggregation(state), toTypeName(state) FROM (SELECT initializeAggregation('sumState', number % 3) AS state FROM numbers(5))
---->
SELECT intDiv(toFloat64(1), 0.001) AS res, toTypeName(res)
---->
SELECT
intDiv(1, 0.001) AS res,
toTypeName(res)
---->
SELECT intDivOrNull(1, 0)
---->
SELECT intDivOrNull(-9223372036854775808, -1)
---->
SELECT intDivOrZero(1, 0)
---->
SELECT intDivOrZero(0.05, -1)
---->
SELECT intExp10(2)
---->
SELECT intExp2(3)
---->
SELECT intHash32(42)
---->
SELECT intHash64(42)
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
SELECT
    isDistinctFrom(1, 2) AS result_1,
    isDistinctFrom(1, 1) AS result_2,
    isDistinctFrom(NULL, 1) AS result_3,
    isDistinctFrom(NULL, NULL) AS result_4
---->
CREATE TABLE test (d Dynamic(max_types=2)) ENGINE = Memory
---->
SELECT d, isDynamicElementInSharedData(d) FROM test
---->
SELECT isFinite(inf)
---->
SELECT isIPAddressInRange('127.0.0.1', '127.0.0.0/8')
---->
SELECT isIPAddressInRange('127.0.0.1', 'ffff::/16')
---->
SELECT isIPAddressInRange('::ffff:192.168.0.1', '::ffff:192.168.0.4/128')
---->
SELECT addr, isIPv4String(addr)
FROM(
SELECT ['0.0.0.0', '127.0.0.1', '::ffff:127.0.0.1'] AS addr
)
ARRAY JOIN addr
---->
SELECT addr, isIPv6String(addr)
FROM(SELECT ['::', '1111::ffff', '::ffff:127.0.0.1', '127.0.0.1'] AS addr)
ARRAY JOIN addr
---->
WITH 'all_12_25_7_4' AS lhs, 'all_7_100_10_20' AS rhs
SELECT isMergeTreePartCoveredBy(rhs, lhs), isMergeTreePartCoveredBy(lhs, rhs)
---->
SELECT isNaN(NaN)
---->
SELECT
    isNotDistinctFrom(1, 1) AS result_1,
    isNotDistinctFrom(1, 2) AS result_2,
    isNotDistinctFrom(NULL, NULL) AS result_3,
    isNotDistinctFrom(NULL, 1) AS result_4
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
SELECT x FROM t_null WHERE isNull(y)
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
SELECT isValidASCII('hello') AS is_ascii, isValidASCII('你好') AS is_not_ascii
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
SELECT isValidUTF8('\\xc3\\xb1') AS valid, isValidUTF8('\\xc3\\x28') AS invalid
---->
INSERT INTO t_null VALUES (1, NULL), (2, 0), (3, 3)
---->
SELECT x FROM t_null WHERE isZeroOrNull(y)
---->
SELECT jaroSimilarity('clickhouse', 'click')
---->
SELECT jaroWinklerSimilarity('clickhouse', 'click')
---->
SELECT javaHash(toInt32(123))
---->
SELECT javaHash('Hello, world!')
---->
SELECT javaHashUTF16LE(convertCharset('test', 'utf-8', 'utf-16le'))
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
SELECT joinGetOrNull(db_test.id_val, 'val', toUInt32(1)), joinGetOrNull(db_test.id_val, 'val', toUInt32(999))
---->
SELECT jumpConsistentHash(256, 4)
---->
SELECT
    kafkaMurmurHash('foobar') AS res1,
    kafkaMurmurHash(array('e','x','a'), 'mple', 10, toDateTime('2019-06-15 23:00:00')) AS res2
---->
SELECT hex(keccak256('hello'))
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
SELECT kostikConsistentHash(16045690984833335023, 2)
---->
CREATE TABLE test_data (x Float64) ENGINE = Memory
---->
INSERT INTO test_data VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)
---->
SELECT kurtPop(x) FROM test_data
---->
SELECT kurtSamp(x) FROM test_data
---->
CREATE TABLE largestTriangleThreeBuckets_test (x Float64, y Float64) ENGINE = Memory
---->
INSERT INTO largestTriangleThreeBuckets_test VALUES
    (1.0, 10.0), (2.0, 20.0), (3.0, 15.0), (8.0, 60.0), (9.0, 55.0),
    (10.0, 70.0), (4.0, 30.0), (5.0, 40.0), (6.0, 35.0), (7.0, 50.0)
---->
SELECT largestTriangleThreeBuckets(4)(x, y) FROM largestTriangleThreeBuckets_test
---->
SELECT lcm(6, 8)
---->
-- The type returned is a Float64 as the UInt8 must be promoted to 64 bit for the comparison.
SELECT least(1, 2, toUInt8(3), 3.) AS result, toTypeName(result) AS type
---->
SELECT least(['hello'], ['there'], ['world'])
---->
-- The type returned is a DateTime64 as the DateTime32 must be promoted to 64 bit for the comparison.
SELECT least(toDateTime32('2025-01-02 12:00:00'), toDateTime64('2025-01-01 12:00:00.000', 3))
---->
SELECT left('Hello World', 5)
---->
SELECT left('Hello World', -6)
---->
SELECT leftPad('abc', 7, '*'), leftPad('def', 7)
---->
SELECT leftPadUTF8('абвг', 7, '*'), leftPadUTF8('дежз', 7)
---->
SELECT leftUTF8('Привет', 4)
---->
SELECT leftUTF8('Привет', -4)
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
SELECT lengthUTF8('Здравствуй, мир!')
---->
SELECT 1 < 2, 2 < 1
---->
SELECT 1 <= 2, 2 <= 2, 3 <= 2
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
SELECT LOCALTIME
---->
SELECT locate('ca', 'abcabc')
---->
SELECT log(10)
---->
SELECT log10(100)
---->
SELECT log1p(0)
---->
SELECT log2(8)
---->
SELECT logTrace('logTrace message')
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
SELECT s, lowCardinalityKeys(s) FROM test
---->
SELECT lower('CLICKHOUSE')
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
SELECT mapApply((k, v) -> (k, v * 2), map('k1', 1, 'k2', 2))
---->
SELECT mapConcat(map('k1', 'v1'), map('k2', 'v2'))
---->
SELECT mapContainsKey(map('k1', 'v1', 'k2', 'v2'), 'k1')
---->
CREATE TABLE tab (a Map(String, String))
ENGINE = MergeTree
ORDER BY tuple()
---->
INSERT INTO tab VALUES ({'abc':'abc','def':'def'}), ({'hij':'hij','klm':'klm'})
---->
SELECT mapContainsKeyLike(a, 'a%') FROM tab
---->
SELECT mapContainsValue(map('k1', 'v1', 'k2', 'v2'), 'v1')
---->
SELECT mapContainsValueLike(a, 'a%') FROM tab
---->
SELECT mapExists((k, v) -> v = 1, map('k1', 1, 'k2', 2))
---->
SELECT mapExtractKeyLike(a, 'a%') FROM tab
---->
SELECT mapExtractValueLike(a, 'a%') FROM tab
---->
SELECT mapFilter((k, v) -> v > 1, map('k1', 1, 'k2', 2))
---->
SELECT mapFromArrays(['a', 'b', 'c'], [1, 2, 3])
---->
SELECT mapFromArrays([1, 2, 3], map('a', 1, 'b', 2, 'c', 3))
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
SELECT mapUpdate(map('key1', 0, 'key3', 0), map('key1', 10, 'key2', 10))
---->
SELECT mapValues(map('k1', 'v1', 'k2', 'v2'))
---->
SELECT match('Hello World', 'Hello.*')
---->
SELECT match('Hello World', 'goodbye.*')
---->
SELECT match('abcde', 'b.*d'), match('abcde', '^b.*d$')
---->
-- In the example below the `countMatches` function expects a constant second argument.
-- This behaviour can be debugged by using the `materialize` function to turn a constant into a full column,
-- verifying that the function throws an error for a non-constant argument.

SELECT countMatches('foobarfoo', 'foo')
---->
SELECT countMatches('foobarfoo', materialize('foo'))
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
SELECT max2(-1, 2)
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
SELECT maxIntersectionsPosition(start, end) FROM my_events
---->
SELECT maxMappedArrays(a, b)
FROM VALUES('a Array(Char), b Array(Int64)', (['x', 'y'], [2, 2]), (['y', 'z'], [3, 1]))
---->
CREATE TABLE mean_ztest (sample_data Float64, sample_index UInt8) ENGINE = Memory
---->
INSERT INTO mean_ztest VALUES (20.3, 0), (21.9, 0), (22.1, 0), (18.9, 1), (19, 1), (20.3, 1)
---->
SELECT meanZTest(0.7, 0.45, 0.95)(sample_data, sample_index) FROM mean_ztest
---->
WITH mergeTreePartInfo('all_12_25_7_4') AS info
SELECT info.partition_id, info.min_block, info.max_block, info.level, info.mutation
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
SELECT min(salary) FROM employees
---->
SELECT department, min(revenue) FROM sales GROUP BY department ORDER BY department
---->
SELECT min2(-1, 2)
---->
SELECT minMappedArrays(a, b)
FROM VALUES('a Array(Int32), b Array(Int64)', ([1, 2], [2, 2]), ([2, 3], [1, 1]))
---->
SELECT minSampleSizeContinuous(112.25, 21.1, 0.03, 0.80, 0.05) AS sample_size
---->
SELECT minSampleSizeConversion(0.25, 0.03, 0.80, 0.05) AS sample_size
---->
SELECT minus(10, 5)
---->
SELECT minus(toDate('2025-01-01'),5)
---->
SELECT modulo(5, 2)
---->
SELECT moduloLegacy(10, 3)
---->
SELECT moduloOrNull(5, 0)
---->
SELECT moduloOrNull(toInt8(-128), toInt8(-1))
---->
SELECT moduloOrZero(5, 0)
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
SELECT naiveBayesClassifier('model', 'some text')
---->
SELECT naiveBayesClassifierWithAllProbs('model', 'some text')
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
SELECT s FROM t ORDER BY naturalSortKey(s)
---->
SELECT negate(10)
---->
SELECT number, neighbor(number, 2) FROM system.numbers LIMIT 10
---->
SELECT number, neighbor(number, 2, 999) FROM system.numbers LIMIT 10
---->
SELECT nested(['keys', 'values'], ['key_1', 'key_2'], ['value_1','value_2'])
---->
SELECT netloc('http://paul@www.example.com:80/')
---->
SELECT ngramDistance('ClickHouse', 'ClickHouses')
---->
SELECT ngramDistanceCaseInsensitive('ClickHouse','clickhouse')
---->
SELECT ngramDistanceCaseInsensitiveUTF8('abcde','CDE')
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
SELECT ngramSearch('ClickHouse', 'Click')
---->
SELECT ngramSearchCaseInsensitive('Hello World','hello')
---->
SELECT ngramSearchCaseInsensitiveUTF8('абвГДЕёжз', 'АбвгдЕЁжз')
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
SELECT ngrams('ClickHouse', 3)
---->
SELECT normalizeQuery('[1, 2, 3, x]') AS query
---->
SELECT normalizeQuery('SELECT 1 AS aComplexName123'), normalizeQueryKeepNames('SELECT 1 AS aComplexName123')
---->
SELECT
'é' AS original, -- e + combining acute accent (U+0065 + U+0301)
length(original),
normalizeUTF8NFC('é') AS nfc_normalized, -- é (U+00E9)
length(nfc_normalized)
---->
SELECT
    'é' AS original, -- é (U+00E9)
    length(original),
    normalizeUTF8NFD('é') AS nfd_normalized, -- e + combining acute (U+0065 + U+0301)
    length(nfd_normalized)
---->
SELECT
    '① ② ③' AS original,                           -- Circled number characters
    normalizeUTF8NFKC('① ② ③') AS nfkc_normalized  -- Converts to 1 2 3
---->
SELECT
    'Ä ① Hello' AS original,
    normalizeUTF8NFKCCasefold('Ä ① Hello') AS nfkc_cf_normalized
---->
SELECT
    'H₂O²' AS original,                           -- H + subscript 2 + O + superscript 2
    normalizeUTF8NFKD('H₂O²') AS nfkd_normalized  -- Converts to H 2 O 2
---->
SELECT normalizedQueryHash('SELECT 1 AS `xyz`') != normalizedQueryHash('SELECT 1 AS `abc`') AS res
---->
SELECT normalizedQueryHash('SELECT 1 AS `xyz123`') != normalizedQueryHash('SELECT 1 AS `abc123`') AS normalizedQueryHash
---->
SELECT normalizedQueryHashKeepNames('SELECT 1 AS `xyz123`') != normalizedQueryHashKeepNames('SELECT 1 AS `abc123`') AS normalizedQueryHashKeepNames
---->
SELECT NOT(1)
---->
SELECT notEmpty([1,2])
---->
SELECT 1 != 2, 1 != 1
---->
SELECT notILike('ClickHouse', '%house%')
---->
SELECT notLike('ClickHouse', '%House%')
---->
SELECT notLike('ClickHouse', '%SQL%')
---->
SELECT now()
---->
SELECT now('Asia/Istanbul')
---->
SELECT NOW, CURRENT_TIMESTAMP
---->
SELECT now64(), now64(9, 'Asia/Istanbul')
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
SELECT nullIf(1, 1), nullIf(1, 2)
---->
SELECT numericIndexedVectorAllValueSum(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30]))) AS res
---->
SELECT numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30])) AS res, toTypeName(res)
---->
SELECT numericIndexedVectorCardinality(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30]))) AS res
---->
SELECT numericIndexedVectorGetValue(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30])), 3) AS res
---->
WITH
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseAdd(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseAdd(vec1, 2)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseDivide(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseDivide(vec1, 2)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseEqual(vec1, 20)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 50]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreater(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreater(vec1, 20)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 50]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreaterEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseGreaterEqual(vec1, 20)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLess(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLess(vec1, 20)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 40, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLessEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseLessEqual(vec1, 20)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toInt32(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toInt32(x), [10, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseMultiply(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseMultiply(vec1, 2)) AS res2
---->
with
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toFloat64(x), [10, 20, 30]))) as vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toFloat64(x), [20, 20, 30]))) as vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseNotEqual(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseNotEqual(vec1, 20)) AS res2
---->
WITH
    numericIndexedVectorBuild(mapFromArrays([1, 2, 3], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec1,
    numericIndexedVectorBuild(mapFromArrays([2, 3, 4], arrayMap(x -> toInt32(x), [10, 20, 30]))) AS vec2
SELECT
    numericIndexedVectorToMap(numericIndexedVectorPointwiseSubtract(vec1, vec2)) AS res1,
    numericIndexedVectorToMap(numericIndexedVectorPointwiseSubtract(vec1, 2)) AS res2
---->
SELECT numericIndexedVectorToMap(numericIndexedVectorBuild(mapFromArrays([1, 2, 3], [10, 20, 30]))) AS res
---->
SELECT obfuscateQuery('SELECT name, age FROM users WHERE age > 30')
---->
SELECT obfuscateQuery('SELECT * FROM t', 1), obfuscateQuery('SELECT * FROM t', 2)
---->
SELECT obfuscateQuery('SELECT 1') AS a, obfuscateQuery('SELECT 1') AS b
---->
SELECT obfuscateQueryWithSeed('SELECT name FROM users', 42)
---->
SELECT obfuscateQueryWithSeed('SELECT id, value FROM data', 'myseed')
---->
SELECT obfuscateQueryWithSeed('SELECT 1', 100) = obfuscateQueryWithSeed('SELECT 1', 100)
---->
SELECT or(1, 0, 0, 2, NULL)
---->
SELECT or(0, NULL)
---->
SELECT overlay('My father is from Mexico.', 'mother', 4) AS res
---->
SELECT overlay('My father is from Mexico.', 'dad', 4, 6) AS res
---->
SELECT overlayUTF8('Mein Vater ist aus Österreich.', 'der Türkei', 20) AS res
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
SELECT arrayJoin(['1 B', '1 KiB', '3 MB', '5.314 KiB']) AS readable_sizes, parseReadableSize(readable_sizes) AS sizes
---->
SELECT arrayJoin(['1 B', '1 KiB', '3 MB', '5.314 KiB', 'invalid']) AS readable_sizes, parseReadableSizeOrNull(readable_sizes) AS sizes
---->
SELECT arrayJoin(['1 B', '1 KiB', '3 MB', '5.314 KiB', 'invalid']) AS readable_sizes, parseReadableSizeOrZero(readable_sizes) AS sizes
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
SELECT path('https://clickhouse.com/docs/sql-reference/functions/url-functions/?query=value')
---->
SELECT pathFull('https://clickhouse.com/docs/sql-reference/functions/url-functions/?query=value#section')
---->
SELECT pi()
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
SELECT polygonAreaCartesian([[[(0., 0.), (0., 5.), (5., 5.), (5., 0.)]]])
---->
SELECT round(polygonAreaSpherical([[[(4.346693, 50.858306), (4.367945, 50.852455), (4.366227, 50.840809), (4.344961, 50.833264), (4.338074, 50.848677), (4.346693, 50.858306)]]]), 14)
---->
SELECT wkt(polygonConvexHullCartesian([[[(0., 0.), (0., 5.), (5., 5.), (5., 0.), (2., 3.)]]]))
---->
SELECT polygonPerimeterCartesian([[[(0., 0.), (0., 5.), (5., 5.), (5., 0.)]]])
---->
SELECT round(polygonPerimeterSpherical([[[(4.346693, 50.858306), (4.367945, 50.852455), (4.366227, 50.840809), (4.344961, 50.833264), (4.338074, 50.848677), (4.346693, 50.858306)]]]), 6)
---->
SELECT polygonsDistanceCartesian([[[(0, 0), (0, 0.1), (0.1, 0.1), (0.1, 0)]]], [[[(10., 10.), (10., 40.), (40., 40.), (40., 10.), (10., 10.)]]])
---->
SELECT polygonsDistanceSpherical([[[(0, 0), (0, 0.1), (0.1, 0.1), (0.1, 0)]]], [[[(10., 10.), (10., 40.), (40., 40.), (40., 10.), (10., 10.)]]])
---->
SELECT polygonsEqualsCartesian([[[(1., 1.), (1., 4.), (4., 4.), (4., 1.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
---->
SELECT polygonsIntersectCartesian([[[(2., 2.), (2., 3.), (3., 3.), (3., 2.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
---->
SELECT polygonsIntersectSpherical([[[(2., 2.), (2., 3.), (3., 3.), (3., 2.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
---->
SELECT wkt(polygonsIntersectionCartesian([[[(0., 0.), (0., 3.), (1., 2.9), (2., 2.6), (2.6, 2.), (2.9, 1.), (3., 0.), (0., 0.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]]))
---->
SELECT wkt(polygonsSymDifferenceCartesian([[[(0, 0), (0, 3), (1, 2.9), (2, 2.6), (2.6, 2), (2.9, 1), (3, 0), (0, 0)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]]))
---->
SELECT wkt(arraySort(polygonsSymDifferenceSpherical([[(50., 50.), (50., -50.), (-50., -50.), (-50., 50.), (50., 50.)], [(10., 10.), (10., 40.), (40., 40.), (40., 10.), (10., 10.)], [(-10., -10.), (-10., -40.), (-40., -40.), (-40., -10.), (-10., -10.)]], [[(-20., -20.), (-20., 20.), (20., 20.), (20., -20.), (-20., -20.)]])))
---->
SELECT wkt(polygonsUnionCartesian([[[(0., 0.), (0., 3.), (1., 2.9), (2., 2.6), (2.6, 2.), (2.9, 1), (3., 0.), (0., 0.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]]))
---->
SELECT wkt(polygonsUnionSpherical([[[(4.3613577, 50.8651821), (4.349556, 50.8535879), (4.3602419, 50.8435626), (4.3830299, 50.8428851), (4.3904543, 50.8564867), (4.3613148, 50.8651279)]]], [[[(4.346693, 50.858306), (4.367945, 50.852455), (4.366227, 50.840809), (4.344961, 50.833264), (4.338074, 50.848677), (4.346693, 50.858306)]]]))
---->
SELECT polygonsWithinCartesian([[[(2., 2.), (2., 3.), (3., 3.), (3., 2.)]]], [[[(1., 1.), (1., 4.), (4., 4.), (4., 1.), (1., 1.)]]])
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
SELECT positiveModulo(-1, 10)
---->
SELECT positiveModuloOrNull(5, 0)
---->
SELECT positiveModuloOrNull(toInt8(-128), toInt8(-1))
---->
SELECT pow(2, 3)
---->
SELECT prettyPrintJSON('{"a":1,"b":"hello"}')
---->
SELECT prettyPrintJSON('{"a":1}', 8)
---->
SELECT printf('%%%s %s %d', 'Hello', 'World', 2024)
---->
SELECT proportionsZTest(10, 11, 100, 101, 0.95, 'unpooled')
---->
SELECT protocol('https://clickhouse.com/')
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
CREATE TABLE example_table (a UInt32, b Float32, w UInt32) ENGINE = Memory
---->
INSERT INTO example_table VALUES (1, 1.001, 1), (2, 1.002, 2), (3, 1.003, 3), (4, 1.004, 4)
---->
SELECT quantileBFloat16Weighted(0.75)(a, w), quantileBFloat16Weighted(0.75)(b, w) FROM example_table
---->
SELECT quantileDD(0.01, 0.75)(a), quantileDD(0.01, 0.75)(b) FROM example_table
---->
SELECT quantileDeterministic(val, 1) FROM t
---->
SELECT quantileExact(number) FROM numbers(10)
---->
SELECT quantileExactExclusive(0.25)(number) FROM numbers(5)
---->
SELECT quantileExactExclusive(0.1)(number), quantileExactExclusive(0.9)(number) FROM numbers(10)
---->
SELECT quantileExactHigh(number) FROM numbers(10)
---->
SELECT quantileExactHigh(0.1)(number) FROM numbers(10)
---->
SELECT quantileExactInclusive(0.25)(number) FROM numbers(5)
---->
SELECT quantileExactInclusive(0.1)(number), quantileExactInclusive(0.9)(number) FROM numbers(10)
---->
SELECT quantileExactLow(number) FROM numbers(10)
---->
SELECT quantileExactLow(0.1)(number) FROM numbers(10)
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
SELECT quantileExactWeightedInterpolated(n, val) FROM t
---->
SELECT
    quantileExactWeightedInterpolated(0.99)(number, 1),
    quantile(0.99)(number),
    quantileInterpolatedWeighted(0.99)(number, 1)
FROM numbers(9)
---->
SELECT quantileGK(1, 0.25)(number + 1) FROM numbers(1000)
---->
SELECT quantileGK(100, 0.25)(number + 1) FROM numbers(1000)
---->
INSERT INTO t VALUES (0, 3), (1, 2), (2, 1), (5, 4)
---->
SELECT quantileInterpolatedWeighted(n, val) FROM t
---->
SELECT quantilePrometheusHistogram(bucket_upper_bound, cumulative_bucket_value)
FROM VALUES('bucket_upper_bound Float64, cumulative_bucket_value UInt64', (0, 6), (0.5, 11), (1, 14), (inf, 19))
---->
SELECT quantileTDigest(number) FROM numbers(10)
---->
SELECT quantileTDigestWeighted(number, 1) FROM numbers(10)
---->
CREATE TABLE t (response_time UInt32) ENGINE = Memory
---->
INSERT INTO t VALUES (72), (112), (126), (145), (104), (242), (313), (168), (108)
---->
SELECT quantileTiming(response_time) FROM t
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
SELECT quantizeBFloat16ToInt8(2.0::BFloat16)
---->
SELECT quantizeBFloat16ToInt8([0.1, -0.5, 2.0]::Array(BFloat16))
---->
SELECT count(DISTINCT t) FROM (SELECT queryID() AS t FROM remote('127.0.0.{1..3}', currentDatabase(), 'tmp') GROUP BY queryID())
---->
SELECT queryString('https://clickhouse.com/docs?query=value&param=123#section')
---->
SELECT queryStringAndFragment('https://clickhouse.com/docs?query=value&param=123#section')
---->
SELECT radians(180)
---->
SELECT rand()
---->
SELECT rand64()
---->
SELECT randBernoulli(.75) FROM numbers(5)
---->
SELECT randBinomial(100, .75) FROM numbers(5)
---->
SELECT randCanonical()
---->
SELECT randChiSquared(10) FROM numbers(5)
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
SELECT randomStringUTF8(13)
---->
SELECT range(5), range(1, 5), range(1, 5, 2), range(-1, 5, 2)
---->
SELECT rankCorr(number, number) FROM numbers(100)
---->
SELECT roundBankers(rankCorr(exp(number), sin(number)), 3) FROM numbers(100)
---->
SELECT readWKB(unhex('010300000001000000050000000000000000000040000000000000000000000000000024400000000000000000000000000000244000000000000024400000000000000000000000000000244000000000000000400000000000000000'))
---->
SELECT readWKBLineString(unhex('010200000004000000000000000000f03f000000000000f03f0000000000000040000000000000004000000000000008400000000000000840000000000000f03f000000000000f03f'))
---->
SELECT readWKBMultiLineString(unhex('010500000002000000010200000003000000000000000000f03f000000000000f03f0000000000000040000000000000004000000000000008400000000000000840010200000003000000000000000000104000000000000010400000000000001440000000000000144000000000000018400000000000001840'))
---->
SELECT
    toTypeName(readWKBMultiPolygon(unhex('0106000000020000000103000000020000000500000000000000000000400000000000000000000000000000244000000000000000000000000000002440000000000000244000000000000000000000000000002440000000000000004000000000000000000500000000000000000010400000000000001040000000000000144000000000000010400000000000001440000000000000144000000000000010400000000000001440000000000000104000000000000010400103000000010000000400000000000000000024c000000000000024c000000000000024c000000000000022c000000000000022c0000000000000244000000000000024c000000000000024c0'))) AS type,
    readWKBMultiPolygon(unhex('0106000000020000000103000000020000000500000000000000000000400000000000000000000000000000244000000000000000000000000000002440000000000000244000000000000000000000000000002440000000000000004000000000000000000500000000000000000010400000000000001040000000000000144000000000000010400000000000001440000000000000144000000000000010400000000000001440000000000000104000000000000010400103000000010000000400000000000000000024c000000000000024c000000000000024c000000000000022c000000000000022c0000000000000244000000000000024c000000000000024c0')) FORMAT Vertical
---->
SELECT toTypeName(readWKBPoint(unhex('0101000000333333333333f33f3333333333330b40')))
---->
SELECT
    toTypeName(readWKBPolygon(unhex('010300000001000000050000000000000000000040000000000000000000000000000024400000000000000000000000000000244000000000000024400000000000000000000000000000244000000000000000400000000000000000'))) AS type,
    readWKBPolygon(unhex('010300000001000000050000000000000000000040000000000000000000000000000024400000000000000000000000000000244000000000000024400000000000000000000000000000244000000000000000400000000000000000'))
---->
SELECT readWKT('LINESTRING (1 1, 2 2, 3 3, 1 1)')
---->
SELECT readWKTLineString('LINESTRING (1 1, 2 2, 3 3, 1 1)')
---->
SELECT toTypeName(readWKTLineString('LINESTRING (1 1, 2 2, 3 3, 1 1)'))
---->
SELECT readWKTMultiLineString('MULTILINESTRING ((1 1, 2 2, 3 3), (4 4, 5 5, 6 6))')
---->
SELECT toTypeName(readWKTMultiLineString('MULTILINESTRING ((1 1, 2 2, 3 3, 1 1))'))
---->
SELECT
    toTypeName(readWKTMultiPolygon('MULTIPOLYGON(((2 0,10 0,10 10,0 10,2 0),(4 4,5 4,5 5,4 5,4 4)),((-10 -10,-10 -9,-9 10,-10 -10)))')) AS type,
    readWKTMultiPolygon('MULTIPOLYGON(((2 0,10 0,10 10,0 10,2 0),(4 4,5 4,5 5,4 5,4 4)),((-10 -10,-10 -9,-9 10,-10 -10)))') AS output
---->
SELECT readWKTPoint('POINT (1.2 3.4)')
---->
SELECT
    toTypeName(readWKTPolygon('POLYGON((2 0,10 0,10 10,0 10,2 0))')) AS type,
    readWKTPolygon('POLYGON((2 0,10 0,10 10,0 10,2 0))') AS output
---->
SELECT readWKTRing('POLYGON ((1 1, 2 2, 3 3, 1 1))')
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
SELECT regexpQuoteMeta('Hello. [World]? (Yes)*') AS res
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
SELECT reinterpret(toInt8(-1), 'UInt8') AS int_to_uint,
    reinterpret(toInt8(1), 'Float32') AS int_to_float,
    reinterpret('1', 'UInt32') AS string_to_int
---->
SELECT reinterpret(x'3108b4403108d4403108b4403108d440', 'Array(Float32)') AS string_to_array_of_Float32
---->
SELECT hex(reinterpret([toUInt8(1), toUInt8(2), toUInt8(255)]::Array(UInt8), 'String')) AS array_of_UInt8_to_string
---->
SELECT reinterpretAsDate(65), reinterpretAsDate('A')
---->
SELECT reinterpretAsDateTime(65), reinterpretAsDateTime('A')
---->
SELECT
    reinterpretAsFixedString(toDateTime('1970-01-01 01:01:05')),
    reinterpretAsFixedString(toDate('1970-03-07'))
---->
SELECT reinterpretAsUInt32(toFloat32(0.2)) AS x, reinterpretAsFloat32(x)
---->
SELECT reinterpretAsUInt64(toFloat64(0.2)) AS x, reinterpretAsFloat64(x)
---->
SELECT
    toInt64(257) AS x,
    toTypeName(x),
    reinterpretAsInt128(x) AS res,
    toTypeName(res)
---->
SELECT
    toInt8(257) AS x,
    toTypeName(x),
    reinterpretAsInt16(x) AS res,
    toTypeName(res)
---->
SELECT
    toInt128(257) AS x,
    toTypeName(x),
    reinterpretAsInt256(x) AS res,
    toTypeName(res)
---->
SELECT
    toInt16(257) AS x,
    toTypeName(x),
    reinterpretAsInt32(x) AS res,
    toTypeName(res)
---->
SELECT
    toInt32(257) AS x,
    toTypeName(x),
    reinterpretAsInt64(x) AS res,
    toTypeName(res)
---->
SELECT
    toUInt8(257) AS x,
    toTypeName(x),
    reinterpretAsInt8(x) AS res,
    toTypeName(res)
---->
SELECT
    reinterpretAsString(toDateTime('1970-01-01 01:01:05')),
    reinterpretAsString(toDate('1970-03-07'))
---->
SELECT hex(reinterpretAsString([toUInt8(1), toUInt8(2), toUInt8(255)]::Array(UInt8))) AS array_of_UInt8_to_string
---->
SELECT
    toUInt64(257) AS x,
    toTypeName(x),
    reinterpretAsUInt128(x) AS res,
    toTypeName(res)
---->
SELECT
    toUInt8(257) AS x,
    toTypeName(x),
    reinterpretAsUInt16(x) AS res,
    toTypeName(res)
---->
SELECT
    toUInt128(257) AS x,
    toTypeName(x),
    reinterpretAsUInt256(x) AS res,
    toTypeName(res)
---->
SELECT
    toUInt16(257) AS x,
    toTypeName(x),
    reinterpretAsUInt32(x) AS res,
    toTypeName(res)
---->
SELECT
    toUInt32(257) AS x,
    toTypeName(x),
    reinterpretAsUInt64(x) AS res,
    toTypeName(res)
---->
SELECT
    toInt8(-1) AS val,
    toTypeName(val),
    reinterpretAsUInt8(val) AS res,
    toTypeName(res)
---->
SELECT reinterpretAsUUID(reverse(unhex('000102030405060708090a0b0c0d0e0f')))
---->
SELECT removeDiacriticsUTF8('café résumé naïve')
---->
SELECT repeat('abc', 10)
---->
SELECT replaceAll('Hello, Hello world', 'Hello', 'Hi') AS res
---->
SELECT replaceOne('Hello, Hello world', 'Hello', 'Hi') AS res
---->
SELECT replaceRegexpAll('Hello123', '.', '\\0\\0') AS res
---->
SELECT replaceRegexpAll('Hello, World!', '^', 'here: ') AS res
---->
SELECT replaceRegexpOne(d, '(\\d{4})-(\\d{2})-(\\d{2})', '\\2/\\3/\\1') AS res
FROM values('d String', '2014-03-17', '2014-03-18', '2014-03-19')
---->
SELECT replaceRegexpOne('Hello, World!', '.*', '\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0') AS res
---->
SELECT replicate(1, ['a', 'b', 'c'])
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
SELECT reverseUTF8('ClickHouse')
---->
SELECT revision()
---->
SELECT right('Hello', 3)
---->
SELECT right('Hello', -3)
---->
SELECT rightPad('abc', 7, '*'), rightPad('abc', 7)
---->
SELECT rightPadUTF8('абвг', 7, '*'), rightPadUTF8('абвг', 7)
---->
SELECT rightUTF8('Привет', 4)
---->
SELECT rightUTF8('Привет', -4)
---->
SELECT number / 2 AS x, round(x) FROM system.numbers LIMIT 3
---->
SELECT cast(number / 2 AS  Decimal(10,4)) AS x, round(x) FROM system.numbers LIMIT 3
---->
SELECT *, roundAge(*) FROM system.numbers WHERE number IN (0, 5, 20, 31, 37, 54, 72)
---->
SELECT number / 2 AS x, roundBankers(x, 0) AS b FROM system.numbers LIMIT 10
---->
SELECT *, roundDown(*, [3, 4, 5]) FROM system.numbers WHERE number IN (0, 1, 2, 3, 4, 5)
---->
SELECT *, roundDuration(*) FROM system.numbers WHERE number IN (0, 9, 19, 47, 101, 149, 205, 271, 421, 789, 1423, 2345, 4567, 9876, 24680, 42573)
---->
SELECT *, roundToExp2(*) FROM system.numbers WHERE number IN (0, 2, 5, 10, 19, 50)
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
SELECT rowNumberInBlock()
FROM
(
    SELECT *
    FROM system.numbers_mt
    LIMIT 10
) SETTINGS max_block_size = 2
---->
SELECT start, runningConcurrency(start, end) FROM example_table
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
SELECT
    number,
    runningDifferenceStartingWithFirstValue(number) AS diff
FROM numbers(5)
---->
SELECT seriesDecomposeSTL([10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34, 10.1, 20.45, 40.34], 3) AS print_0
---->
SELECT seriesOutliersDetectTukey([-3, 2, 15, 3, 5, 6, 4, 5, 12, 45, 12, 3, 3, 4, 5, 6]) AS print_0
---->
SELECT seriesOutliersDetectTukey([-3, 2, 15, 3, 5, 6, 4.50, 5, 12, 45, 12, 3.40, 3, 4, 5, 6], 0.2, 0.8, 1.5) AS print_0
---->
SELECT serverTimeZone()
---->
SELECT serverUUID()
---->
-- See shardNum() example above which also demonstrates shardCount()
CREATE TABLE shard_count_example (dummy UInt8)
ENGINE=Distributed(test_cluster_two_shards_localhost, system, one, dummy)
---->
SELECT shardCount() FROM shard_count_example
---->
CREATE TABLE shard_num_example (dummy UInt8)
ENGINE=Distributed(test_cluster_two_shards_localhost, system, one, dummy)
---->
SELECT dummy, shardNum(), shardCount() FROM shard_num_example
---->
SELECT showCertificate() FORMAT LineAsString
---->
SELECT sigmoid(0)
---->
SELECT sign(0)
---->
SELECT sign(1)
---->
SELECT sign(-1)
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
SELECT simpleJSONExtractInt(json, 'foo') FROM jsons ORDER BY json
---->
INSERT INTO jsons VALUES ('{"foo":{"def":[1,2,3]}}')
---->
SELECT simpleJSONExtractRaw(json, 'foo') FROM jsons ORDER BY json
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
INSERT INTO jsons VALUES ('{"foo":"4e3"}')
---->
INSERT INTO jsons VALUES ('{"foo":3.4}')
---->
SELECT simpleJSONExtractUInt(json, 'foo') FROM jsons ORDER BY json
---->
SELECT simpleJSONHas(json, 'foo') FROM jsons
---->
SELECT simpleJSONHas(json, 'bar') FROM jsons
---->
SELECT arrayReduce('simpleLinearRegression', [0, 1, 2, 3], [0, 1, 2, 3])
---->
SELECT arrayReduce('simpleLinearRegression', [0, 1, 2, 3], [3, 4, 5, 6])
---->
SELECT sin(1.23)
---->
CREATE TABLE test (x UInt8 NULL) ENGINE=Log
---->
INSERT INTO test (x) VALUES (NULL), (NULL), (5), (NULL), (NULL)
---->
SELECT singleValueOrNull(x) FROM test
---->
INSERT INTO test (x) VALUES (10)
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
SELECT skewPop(number) FROM numbers(100)
---->
SELECT skewPop(x) FROM (SELECT pow(number, 2) AS x FROM numbers(10))
---->
SELECT skewSamp(number) FROM numbers(100)
---->
SELECT skewSamp(x) FROM (SELECT pow(number, 2) AS x FROM numbers(10))
---->
-- This query will pause for 2 seconds before completing.
-- During this time, no results will be returned, and the query will appear to be hanging or unresponsive.
SELECT sleep(2)
---->
-- The output will be delayed, with a 0.5-second pause between each row.
SELECT number, sleepEachRow(0.5) FROM system.numbers LIMIT 5
---->
SELECT snowflakeIDToDateTime(7204436857747984384) AS res
---->
SELECT snowflakeIDToDateTime64(7204436857747984384) AS res
---->
SELECT soundex('aksel')
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
SELECT sqidDecode('gXHfJ1C6dN')
---->
SELECT sqidEncode(1, 2, 3, 4, 5)
---->
SELECT sqr(5)
---->
SELECT sqrt(16)
---->
SELECT startsWith('ClickHouse', 'Click')
---->
SELECT startsWithCaseInsensitive('ClickHouse', 'CLICK')
---->
SELECT startsWithCaseInsensitiveUTF8('приставка', 'при')
---->
SELECT startsWithUTF8('приставка', 'при')
---->
CREATE TABLE test_data (population UInt8) ENGINE = Log
---->
INSERT INTO test_data VALUES (3),(3),(3),(4),(4),(5),(5),(7),(11),(15)
---->
SELECT stddevPop(population) AS stddev FROM test_data
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
SELECT
    stddevSampStable(population)
FROM test_data
---->
CREATE TABLE train_data (target Float64, x1 Float64, x2 Float64) ENGINE = Memory
---->
INSERT INTO train_data VALUES (1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0), (5, 5, 0), (6, 6, 0)
---->
CREATE TABLE your_model
ENGINE = Memory
AS SELECT
stochasticLinearRegressionState(0.1, 0.0, 5, 'SGD')(target, x1, x2)
AS state FROM train_data
---->
SELECT count() FROM your_model
---->
CREATE TABLE test_data (x1 Float64, x2 Float64) ENGINE = Memory
---->
INSERT INTO test_data VALUES (10, 0), (20, 0)
---->
WITH (SELECT state FROM your_model) AS model SELECT
evalMLMethod(model, x1, x2) > 0 FROM test_data
---->
SELECT length(stochasticLinearRegression(0.01)(target, x1, x2)) FROM train_data
---->
INSERT INTO train_data VALUES (-1, 1, 1), (-1, 2, 1), (-1, 3, 2), (1, 8, 9), (1, 9, 8), (1, 10, 10)
---->
CREATE TABLE your_model
ENGINE = MergeTree
ORDER BY tuple()
AS SELECT
stochasticLogisticRegressionState(1.0, 1.0, 10, 'SGD')(target, x1, x2)
AS state FROM train_data
---->
INSERT INTO test_data VALUES (1, 1), (9, 9)
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
SELECT stringBytesEntropy('Hello, world!')
---->
SELECT stringBytesUniq('Hello')
---->
SELECT stringJaccardIndex('clickhouse', 'mouse')
---->
SELECT stringJaccardIndexUTF8('我爱你', '我也爱你') AS jaccard_index
---->
SELECT stringToH3('89184926cc3ffff') AS index
---->
SELECT structureToCapnProtoSchema('s String, x UInt32', 'MessageName') format TSVRaw
---->
SELECT structureToProtobufSchema('s String, x UInt32', 'MessageName') FORMAT TSVRaw
---->
SELECT studentTTest(sample_data, sample_index) FROM student_ttest
---->
SELECT studentTTestOneSample()(value, 20.0) FROM t
---->
SELECT studentTTestOneSample(0.95)(value, 20.0) FROM t
---->
SELECT bitmapToArray(subBitmap(bitmapBuild([1, 2, 3, 4, 5]), 2, 2)) AS res
---->
SELECT subDate(toDate('2018-01-01'), INTERVAL 3 YEAR)
---->
SELECT 'database' AS db, substr(db, 5), substr(db, 5, 1)
---->
SELECT substringIndex('www.clickhouse.com', '.', 2)
---->
SELECT substringIndexUTF8('www.straßen-in-europa.de', '.', 2)
---->
SELECT 'Täglich grüßt das Murmeltier.' AS str, substringUTF8(str, 9), substringUTF8(str, 9, 5)
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
SELECT subtractInterval(INTERVAL 1 DAY, INTERVAL 1 MONTH)
---->
SELECT subtractInterval((INTERVAL 1 DAY, INTERVAL 1 YEAR), INTERVAL 1 MONTH)
---->
SELECT subtractInterval(INTERVAL 2 DAY, INTERVAL 1 DAY)
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
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractMilliseconds(date_time, 1000) AS subtract_milliseconds_with_date_time,
    subtractMilliseconds(date_time_string, 1000) AS subtract_milliseconds_with_date_time_string
---->
SELECT dateSub('1998-06-16'::DateTime, INTERVAL 10 millisecond)
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
WITH
    toDateTime('2024-01-01 00:00:00') AS date_time,
    '2024-01-01 00:00:00' AS date_time_string
SELECT
    subtractNanoseconds(date_time, 1000) AS subtract_nanoseconds_with_date_time,
    subtractNanoseconds(date_time_string, 1000) AS subtract_nanoseconds_with_date_time_string
---->
SELECT dateSub('1998-06-16'::DateTime, INTERVAL 10 nanosecond)
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
WITH toDate('2018-01-01') AS date SELECT subtractTupleOfIntervals(date, (INTERVAL 1 DAY, INTERVAL 1 YEAR))
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
CREATE TABLE s_table (x Int8) ENGINE = Log
---->
INSERT INTO s_table SELECT number FROM numbers(0, 20)
---->
INSERT INTO s_table VALUES (NULL)
---->
SELECT sumCount(x) FROM s_table
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
SELECT tan(0)
---->
SELECT tanh(0)
---->
SELECT tcpPort()
---->
SELECT tgamma(5)
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
SELECT tid()
---->
SELECT timeDiff(toDateTime('2018-01-01 22:00:00'), toDateTime('2018-01-02 23:00:00')) AS res
---->
SELECT timeDiff(toDateTime('2018-01-01 22:00:00'), toDateTime('2018-01-02 23:00:00')) / 3600 AS hours
---->
SELECT
    timeDiff(toDateTime('2021-12-29'), toDateTime('2022-01-01')) AS time_diff_result,
    dateDiff('second', toDateTime('2021-12-29'), toDateTime('2022-01-01')) AS date_diff_result
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
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS dest_group,
       timeSeriesTagsToGroup([('code', '404'), ('message', 'Page not found')], '__name__', 'http_codes') AS src_group,
       timeSeriesCopyTag(dest_group, src_group, '__name__') AS result_group,
       timeSeriesGroupToTags(result_group)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS dest_group,
       timeSeriesTagsToGroup([('code', '404'), ('message', 'Page not found')], '__name__', 'http_codes') AS src_group,
       timeSeriesCopyTags(dest_group, src_group, ['__name__', 'code', 'env']) AS result_group,
       timeSeriesGroupToTags(result_group)
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
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesExtractTag(group, '__name__'),
       timeSeriesExtractTag(group, 'env'),
       timeSeriesExtractTag(group, 'instance')
---->
SELECT timeSeriesFromGrid('2025-06-01 00:00:00'::DateTime64(3), '2025-06-01 00:01:30.000'::DateTime64(3), 30, [10, 20, NULL, 30]) AS result
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
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesGroupToSamplingKey(group) AS sampling_key
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesGroupToTags(group) AS sorted_tags,
       timeSeriesTagsToGroup(sorted_tags) AS same_group,
       throwIf(same_group != group)
---->
SELECT 8374283493092 AS id,
       timeSeriesStoreTags(id, [('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS same_id,
       throwIf(same_id != id),
       timeSeriesIdToGroup(same_id) AS group,
       timeSeriesGroupToTags(group)
---->
SELECT 8374283493092 AS id,
       timeSeriesStoreTags(id, [('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS same_id,
       throwIf(same_id != id),
       timeSeriesIdToTags(same_id)
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
SELECT timeSeriesTagsToGroup([('__name__', 'up'), ('job', 'api-server'), ('src1', 'a'), ('src2', 'b'), ('src3', 'c')]) AS group,
       timeSeriesJoinTags(group, 'foo', ',', ['src1', 'src2', 'src3']) AS result_group,
       timeSeriesGroupToTags(result_group)
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
SELECT timeSeriesRange('2025-06-01 00:00:00'::DateTime64(3), '2025-06-01 00:01:00'::DateTime64(3), 30)
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
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group,
       timeSeriesRemoveAllTagsExcept(group, ['env']) AS result_group,
       timeSeriesGroupToTags(result_group)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group_of_3,
       timeSeriesRemoveTag(group_of_3, '__name__') AS group_of_2,
       timeSeriesGroupToTags(group_of_2),
       timeSeriesRemoveTag(group_of_2, 'env') AS group_of_1,
       timeSeriesGroupToTags(group_of_1),
       timeSeriesRemoveTag(group_of_1, 'region') AS empty_group,
       timeSeriesGroupToTags(empty_group)
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group_of_3,
       timeSeriesRemoveTags(group_of_3, ['env', 'region']) AS group_of_1,
       timeSeriesGroupToTags(group_of_1),
       timeSeriesRemoveTags(group_of_1, ['__name__', 'nonexistent']) AS empty_group,
       timeSeriesGroupToTags(empty_group)
---->
SELECT timeSeriesTagsToGroup([('__name__', 'up'), ('job', 'api-server'), ('service', 'a:c')]) AS group,
       timeSeriesReplaceTag(group, 'foo', '$1', 'service', '(.*):.*') AS result_group,
       timeSeriesGroupToTags(result_group)
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
SELECT 8374283493092 AS id,
       timeSeriesStoreTags(id, [('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS same_id,
       throwIf(same_id != id),
       timeSeriesIdToTags(same_id),
       timeSeriesGroupToTags(timeSeriesIdToGroup(same_id))
---->
SELECT timeSeriesTagsToGroup([('region', 'eu'), ('env', 'dev')], '__name__', 'http_requests_count') AS group1,
       timeSeriesTagsToGroup([], '__name__', 'http_failures') AS group2,
       timeSeriesTagsToGroup([]) AS empty_group,
       timeSeriesTagsToGroup([], '__name__', 'http_failures') AS same_group2,
       throwIf(same_group2 != group2),
       timeSeriesGroupToTags(group2)
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
SELECT timezone()
---->
SELECT timezoneOf(now())
---->
SELECT toDateTime('2021-04-21 10:20:30', 'America/New_York') AS Time,
toTypeName(Time) AS Type,
timezoneOffset(Time) AS Offset_in_seconds,
(Offset_in_seconds / 3600) AS Offset_in_hours
---->
SELECT
toBFloat16(toFloat32(42.7)),
toBFloat16(toFloat32('42.7')),
toBFloat16('42.7')
FORMAT Vertical
---->
SELECT toBFloat16OrNull('0x5E'), -- unsupported arguments
       toBFloat16OrNull('12.3'), -- typical use
       toBFloat16OrNull('12.3456789') -- silent loss of precision
---->
SELECT toBFloat16OrZero('0x5E'), -- unsupported arguments
       toBFloat16OrZero('12.3'), -- typical use
       toBFloat16OrZero('12.3456789') -- silent loss of precision
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
SELECT toColumnTypeName(CAST('2025-01-01 01:02:03' AS DateTime))
---->
SELECT toDate('2025-04-15')
---->
SELECT toDate(toDateTime('2025-04-15 10:30:00'))
---->
SELECT toDate(20297)
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
SELECT toDate32OrNull('2025-01-01'), toDate32OrNull('invalid')
---->
SELECT toDate32OrZero('2025-01-01'), toDate32OrZero('')
---->
SELECT toDateOrDefault('2022-12-30')
---->
SELECT toDateOrDefault('', CAST('2023-01-01', 'Date'))
---->
SELECT toDateOrNull('2025-12-30'), toDateOrNull('invalid')
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
SELECT toDateTimeOrZero('2025-12-30 13:44:17'), toDateTimeOrZero('invalid')
---->
SELECT toDayOfMonth(toDateTime('2023-04-21 10:20:30'))
---->
-- The following date is April 21, 2023, which was a Friday:
SELECT
    toDayOfWeek(toDateTime('2023-04-21')),
    toDayOfWeek(toDateTime('2023-04-21'), 1)
---->
SELECT toDayOfYear(toDateTime('2023-04-21 10:20:30'))
---->
SELECT toDaysInMonth(toDate('2023-02-01')), toDaysInMonth(toDate('2024-02-01')), toDaysInMonth(toDate('2023-01-01'))
---->
SELECT toDaysSinceYearZero(toDate('2023-09-08'))
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
SELECT toDecimal128OrNull('42.7', 2), toDecimal128OrNull('invalid', 2)
---->
SELECT toDecimal128OrZero('42.7', 2), toDecimal128OrZero('invalid', 2)
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
SELECT toDecimal256OrNull('42.7', 2), toDecimal256OrNull('invalid', 2)
---->
SELECT toDecimal256OrZero('42.7', 2), toDecimal256OrZero('invalid', 2)
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
SELECT toDecimal32OrNull('42.7', 2), toDecimal32OrNull('invalid', 2)
---->
SELECT toDecimal32OrZero('42.7', 2), toDecimal32OrZero('invalid', 2)
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
SELECT toDecimal64OrNull('42.7', 2), toDecimal64OrNull('invalid', 2)
---->
SELECT toDecimal64OrZero('42.7', 2), toDecimal64OrZero('invalid', 2)
---->
SELECT toDecimalString(2.1456, 2)
---->
SELECT toDecimalString(5, 3)
---->
SELECT toDecimalString(CAST(123.456 AS Decimal(10,3)), 2) AS decimal_val,
       toDecimalString(CAST(42.7 AS Float32), 4) AS float_val
---->
SELECT toFixedString('foo', 8) AS s
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
SELECT
    toFloat32OrNull('42.7'),
    toFloat32OrNull('NaN'),
    toFloat32OrNull('abc')
FORMAT Vertical
---->
SELECT
    toFloat32OrZero('42.7'),
    toFloat32OrZero('abc')
FORMAT Vertical
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
SELECT
    toFloat64OrNull('42.7'),
    toFloat64OrNull('NaN'),
    toFloat64OrNull('abc')
FORMAT Vertical
---->
SELECT
    toFloat64OrZero('42.7'),
    toFloat64OrZero('abc')
FORMAT Vertical
---->
SELECT toHour(toDateTime('2023-04-21 10:20:30'))
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
SELECT
    toIPv4OrNull('192.168.1.1') AS valid_ip,
    toIPv4OrNull('invalid.ip') AS invalid_ip
---->
SELECT
    toIPv4OrZero('192.168.1.1') AS valid_ip,
    toIPv4OrZero('invalid.ip') AS invalid_ip
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
SELECT
    toIPv6OrNull('2001:0db8:85a3:0000:0000:8a2e:0370:7334') AS valid_ipv6,
    toIPv6OrNull('invalid::ip') AS invalid_ipv6
---->
SELECT
    toIPv6OrZero('2001:0db8:85a3:0000:0000:8a2e:0370:7334') AS valid_ipv6,
    toIPv6OrZero('invalid::ip') AS invalid_ipv6
---->
SELECT toDate('2016-12-27') AS date, toISOWeek(date) AS isoWeek
---->
SELECT toDate('2025-12-29') AS date, toISOWeek(date) AS isoWeek, toYear(date) AS year
---->
SELECT
toISOYear(toDate('2024/10/02')) as year1,
toISOYear(toDateTime('2024-10-02 01:30:00')) as year2
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
SELECT
    toInt128OrNull('-128'),
    toInt128OrNull('abc')
FORMAT Vertical
---->
SELECT toInt128OrZero('123')
---->
SELECT toInt128OrZero('abc')
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
SELECT
    toInt16OrNull('-16'),
    toInt16OrNull('abc')
FORMAT Vertical
---->
SELECT
    toInt16OrZero('16'),
    toInt16OrZero('abc')
FORMAT Vertical
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
SELECT
    toInt256OrNull('-256'),
    toInt256OrNull('abc')
FORMAT Vertical
---->
SELECT toInt256OrZero('123')
---->
SELECT toInt256OrZero('abc')
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
SELECT
    toInt32OrNull('-32'),
    toInt32OrNull('abc')
FORMAT Vertical
---->
SELECT
    toInt32OrZero('32'),
    toInt32OrZero('abc')
FORMAT Vertical
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
SELECT
    toInt64OrNull('-64'),
    toInt64OrNull('abc')
FORMAT Vertical
---->
SELECT toInt64OrZero('123')
---->
SELECT toInt64OrZero('abc')
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
SELECT
    toInt8OrNull('-8'),
    toInt8OrNull('abc')
FORMAT Vertical
---->
SELECT
    toInt8OrZero('8'),
    toInt8OrZero('abc')
FORMAT Vertical
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
WITH
    toDate('2025-06-15') AS date,
    toIntervalDay(5) AS interval_to_days
SELECT date + interval_to_days AS result
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalHour(12) AS interval_to_hours
SELECT date + interval_to_hours AS result
---->
WITH
    toDateTime('2025-06-15') AS date,
    toIntervalMicrosecond(30) AS interval_to_microseconds
SELECT date + interval_to_microseconds AS result
---->
WITH
    toDateTime('2025-06-15') AS date,
    toIntervalMillisecond(30) AS interval_to_milliseconds
SELECT date + interval_to_milliseconds AS result
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalMinute(12) AS interval_to_minutes
SELECT date + interval_to_minutes AS result
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalMonth(1) AS interval_to_month
SELECT date + interval_to_month AS result
---->
WITH
    toDateTime('2025-06-15') AS date,
    toIntervalNanosecond(30) AS interval_to_nanoseconds
SELECT date + interval_to_nanoseconds AS result
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalQuarter(1) AS interval_to_quarter
SELECT date + interval_to_quarter AS result
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalSecond(30) AS interval_to_seconds
SELECT date + interval_to_seconds AS result
---->
WITH
    toDate('2025-06-15') AS date,
    toIntervalWeek(1) AS interval_to_week
SELECT date + interval_to_week AS result
---->
WITH
    toDate('2024-06-15') AS date,
    toIntervalYear(1) AS interval_to_year
SELECT date + interval_to_year AS result
---->
SELECT toJSONString(map('key1', 1, 'key2', 2))
---->
SELECT toJSONString(tuple(1.25, NULL, NaN, +inf, -inf, [])) SETTINGS output_format_json_quote_denormals = 1
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
SELECT toLowCardinality('1')
---->
SELECT toMicrosecond(toDateTime64('2023-04-21 10:20:30.456789', 6))
---->
SELECT toMillisecond(toDateTime64('2023-04-21 10:20:30.456', 3))
---->
SELECT toMinute(toDateTime('2023-04-21 10:20:30'))
---->
SELECT toModifiedJulianDay('2020-01-01')
---->
SELECT toModifiedJulianDayOrNull('2020-01-01')
---->
SELECT toModifiedJulianDayOrNull('0000-00-00')
---->
SELECT
toMonday(toDateTime('2023-04-21 10:20:30')), -- A Friday
toMonday(toDate('2023-04-24'))
---->
SELECT toMonth(toDateTime('2023-04-21 10:20:30'))
---->
SELECT toMonthNumSinceEpoch(toDate('2024-10-01'))
---->
SELECT toNanosecond(toDateTime64('2023-04-21 10:20:30.123456789', 9))
---->
SELECT toTypeName(10), toTypeName(toNullable(10))
---->
SELECT toQuarter(toDateTime('2023-04-21 10:20:30'))
---->
SELECT toRelativeDayNum(toDate('2023-04-01')) - toRelativeDayNum(toDate('2023-01-01'))
---->
SELECT toRelativeHourNum(toDateTime('2023-01-01 12:00:00')) - toRelativeHourNum(toDateTime('2023-01-01 00:00:00')) AS hours_difference
---->
SELECT toRelativeMinuteNum(toDateTime('2023-01-01 00:30:00')) - toRelativeMinuteNum(toDateTime('2023-01-01 00:00:00')) AS minutes_difference
---->
SELECT toRelativeMonthNum(toDate('2023-04-01')) - toRelativeMonthNum(toDate('2023-01-01')) AS months_difference
---->
SELECT toRelativeQuarterNum(toDate('2023-04-01')) - toRelativeQuarterNum(toDate('2023-01-01')) AS quarters_difference
---->
SELECT toRelativeSecondNum(toDateTime('2023-01-01 00:01:00')) - toRelativeSecondNum(toDateTime('2023-01-01 00:00:00')) AS seconds_difference
---->
SELECT toRelativeWeekNum(toDate('2023-01-08')) - toRelativeWeekNum(toDate('2023-01-01')) AS weeks_difference
---->
SELECT toRelativeYearNum('2010-10-01'::DateTime) - toRelativeYearNum('2000-01-01'::DateTime)
---->
SELECT toSecond(toDateTime('2023-04-21 10:20:30'))
---->
SELECT toStartOfDay(toDateTime('2023-04-21 10:20:30'))
---->
SELECT
    toStartOfFifteenMinutes(toDateTime('2023-04-21 10:17:00')),
    toStartOfFifteenMinutes(toDateTime('2023-04-21 10:20:00')),
    toStartOfFifteenMinutes(toDateTime('2023-04-21 10:23:00'))
FORMAT Vertical
---->
SELECT
    toStartOfFiveMinutes(toDateTime('2023-04-21 10:17:00')),
    toStartOfFiveMinutes(toDateTime('2023-04-21 10:20:00')),
    toStartOfFiveMinutes(toDateTime('2023-04-21 10:23:00'))
FORMAT Vertical
---->
SELECT
    toStartOfHour(toDateTime('2023-04-21 10:20:30'))
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
SELECT
    toStartOfMinute(toDateTime('2023-04-21 10:20:30')),
    toStartOfMinute(toDateTime64('2023-04-21 10:20:30.5300', 8))
FORMAT Vertical
---->
SELECT toStartOfMonth(toDateTime('2023-04-21 10:20:30'))
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfNanosecond(dt64)
---->
WITH toDateTime64('2020-01-01 10:20:30.999999999', 9) AS dt64
SELECT toStartOfNanosecond(dt64, 'Asia/Istanbul')
---->
SELECT toStartOfQuarter(toDateTime('2023-04-21 10:20:30'))
---->
WITH toDateTime64('2020-01-01 10:20:30.999', 3) AS dt64
SELECT toStartOfSecond(dt64)
---->
WITH toDateTime64('2020-01-01 10:20:30.999', 3) AS dt64
SELECT toStartOfSecond(dt64, 'Asia/Istanbul')
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
SELECT
    toStringCutToZero('hello'),
    toStringCutToZero('hello\0world')
---->
SET enable_time_time64_type = 1
---->
SET use_legacy_to_time = 0
---->
SELECT toTime(toDateTime64('2025-04-15 14:30:25.123', 3))
---->
SELECT toTime(toDateTime('2025-04-15 14:30:25'))
---->
SELECT toTime(toDateTime(52225, 'UTC'))
---->
SELECT toTime64('14:30:25.123456', 6)
---->
SELECT toTime64(toDateTime64('2025-04-15 14:30:25.123456', 6), 6)
---->
SELECT toTime64(52225.123456, 6)
---->
SELECT toTime64OrNull('12:30:45.123'), toTime64OrNull('invalid')
---->
SELECT toTime64OrZero('12:30:45.123'), toTime64OrZero('invalid')
---->
SELECT toTimeOrNull('12:30:45'), toTimeOrNull('invalid')
---->
SELECT toTimeOrZero('12:30:45'), toTimeOrZero('invalid')
---->
SELECT toTimeWithFixedDate('2025-06-15 12:00:00'::DateTime) - toTimeWithFixedDate('2024-05-10 11:00:00'::DateTime) AS result, toTypeName(result)
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
SELECT toTypeName(123)
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
SELECT
    toUInt128OrNull('128'),
    toUInt128OrNull('abc')
FORMAT Vertical
---->
SELECT
    toUInt128OrZero('128'),
    toUInt128OrZero('abc')
FORMAT Vertical
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
SELECT
    toUInt16OrNull('16'),
    toUInt16OrNull('abc')
FORMAT Vertical
---->
SELECT
    toUInt16OrZero('16'),
    toUInt16OrZero('abc')
FORMAT Vertical
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
SELECT
    toUInt256OrNull('256'),
    toUInt256OrNull('abc')
FORMAT Vertical
---->
SELECT
    toUInt256OrZero('256'),
    toUInt256OrZero('abc')
FORMAT Vertical
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
SELECT
    toUInt32OrNull('32'),
    toUInt32OrNull('abc')
FORMAT Vertical
---->
SELECT
    toUInt32OrZero('32'),
    toUInt32OrZero('abc')
FORMAT Vertical
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
SELECT
    toUInt64OrNull('64'),
    toUInt64OrNull('abc')
FORMAT Vertical
---->
SELECT
    toUInt64OrZero('64'),
    toUInt64OrZero('abc')
FORMAT Vertical
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
SELECT
    toUInt8OrNull('42'),
    toUInt8OrNull('abc')
FORMAT Vertical
---->
SELECT
    toUInt8OrZero('-8'),
    toUInt8OrZero('abc')
FORMAT Vertical
---->
SELECT toUTCTimestamp(toDateTime('2023-03-16'), 'Asia/Shanghai')
---->
SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS uuid
---->
SELECT toUUIDOrDefault('61f0c404-5cb3-11e7-907b-a6006ad3dba0', toUUID('59f0c404-5cb3-11e7-907b-a6006ad3dba0'))
---->
SELECT toUUIDOrDefault('-----61f0c404-5cb3-11e7-907b-a6006ad3dba0', toUUID('59f0c404-5cb3-11e7-907b-a6006ad3dba0'))
---->
SELECT
    toUUIDOrNull('550e8400-e29b-41d4-a716-446655440000') AS valid_uuid,
    toUUIDOrNull('invalid-uuid') AS invalid_uuid
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
WITH toDateTime64('2025-02-13 23:31:31.011123', 6, 'UTC') AS dt64
SELECT toUnixTimestamp64Micro(dt64)
---->
WITH toDateTime64('2025-02-13 23:31:31.011', 3, 'UTC') AS dt64
SELECT toUnixTimestamp64Milli(dt64)
---->
WITH toDateTime64('2025-02-13 23:31:31.011123456', 9, 'UTC') AS dt64
SELECT toUnixTimestamp64Nano(dt64)
---->
WITH toDateTime64('2025-02-13 23:31:31.011', 3, 'UTC') AS dt64
SELECT toUnixTimestamp64Second(dt64)
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
SELECT toYear(toDateTime('2023-04-21 10:20:30'))
---->
SELECT toYearNumSinceEpoch(toDate('2024-10-01'))
---->
SELECT toDate('2016-12-27') AS date, toYearWeek(date) AS yearWeek0, toYearWeek(date,1) AS yearWeek1, toYearWeek(date,9) AS yearWeek9, toYearWeek(toDate('2022-01-01')) AS prev_yearWeek
---->
SELECT today() AS today, curdate() AS curdate, current_date() AS current_date FORMAT Pretty
---->
SELECT TODAY, CURDATE,CURRENT_DATE
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
SELECT topLevelDomain('svn+ssh://www.some.svn-hosting.com:80/repo/trunk')
---->
SELECT topLevelDomain('http://foo:foo%41bar@foo.com'), topLevelDomainRFC('http://foo:foo%41bar@foo.com')
---->
BEGIN TRANSACTION
---->
SELECT transactionID()
---->
ROLLBACK
---->
SELECT transactionLatestSnapshot()
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
SELECT translate('Hello, World!', 'delor', 'DELOR') AS res
---->
SELECT translate('clickhouse', 'clickhouse', 'CLICK') AS res
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
SELECT tryBase32Decode('IVXGG33EMVSA====')
---->
SELECT tryBase58Decode('3dc8KtHrwM') AS res, tryBase58Decode('invalid') AS res_invalid
---->
SELECT tryBase64Decode('Y2xpY2tob3VzZQ==')
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
SELECT tupleIntDivByNumber((15, 10, 5), 5)
---->
SELECT tupleIntDivByNumber((15.2, 10.7, 5.5), 5.8)
---->
SELECT tupleIntDivOrZero((5, 10, 15), (0, 0, 0))
---->
SELECT tupleIntDivOrZero((120, 60), (4, 3), (2, 4))
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
SELECT tupleModuloByNumber((15, 10, 5), 2)
---->
SELECT tupleMultiply((1, 2), (2, 3))
---->
SELECT tupleMultiply((1, 2), (2, 3), (1, 2))
---->
SELECT tupleMultiplyByNumber((1, 2), -2.1)
---->
SELECT tupleNames(tuple(1 as a, 2 as b))
---->
SELECT tupleNegate((1, 2))
---->
SELECT tuplePlus((1, 2), (2, 3))
---->
SELECT tuplePlus((1, 2), (2, 3), (3, 4))
---->
SELECT tuplePositiveModuloByNumber((15, 10, 5), 2)
---->
SELECT tupleToNameValuePairs(tuple(1593 AS user_ID, 2502 AS session_ID))
---->
SELECT tupleToNameValuePairs(tuple(3, 2, 1))
---->
SELECT UNBIN('001100000011000100110010'), UNBIN('0100110101111001010100110101000101001100')
---->
SELECT reinterpretAsUInt64(reverse(unbin('1110'))) AS num
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
SELECT upper('clickhouse')
---->
SELECT upperUTF8('München') AS Upperutf8
---->
SELECT uptime() AS Uptime
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
SELECT
    varPopStable(x) AS var_pop_stable
FROM test_data
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
SELECT round(varSampStable(x),3) AS var_samp_stable FROM test_data
---->
CREATE TABLE test (v Variant(UInt64, String, Array(UInt64))) ENGINE = Memory
---->
SELECT v, variantElement(v, 'String'), variantElement(v, 'UInt64'), variantElement(v, 'Array(UInt64)') FROM test
---->
SELECT variantType(v) FROM test
---->
SELECT version()
---->
SELECT visibleWidth(NULL)
---->
CREATE TABLE welch_ttest (sample_data Float64, sample_index UInt8) ENGINE = Memory
---->
INSERT INTO welch_ttest VALUES (20.3, 0), (22.1, 0), (21.9, 0), (18.9, 1), (20.3, 1), (19, 1)
---->
SELECT welchTTest(sample_data, sample_index) FROM welch_ttest
---->
SELECT welchTTest(0.95)(sample_data, sample_index) FROM welch_ttest
---->
widthBucket(10.15, -8.6, 23, 18)
---->
SELECT windowID(now(), toIntervalDay('1'))
---->
CREATE TABLE IF NOT EXISTS geom1 (a Point) ENGINE = Memory()
---->
INSERT INTO geom1 VALUES((0, 0))
---->
SELECT hex(wkb(a)) FROM geom1
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
SELECT wyHash64('ClickHouse') AS Hash
---->
SELECT xor(0, 1, 1)
---->
SELECT xxHash32('Hello, world!')
---->
SELECT xxHash64('Hello, world!')
---->
SELECT xxHash64Spark('ABC')
---->
SELECT xxh3('ClickHouse')
---->
SELECT hex(xxh3_128('ClickHouse'))
---->
SELECT yesterday()
---->
SELECT today() - 1
---->
SELECT zookeeperSessionUptime()
---->
