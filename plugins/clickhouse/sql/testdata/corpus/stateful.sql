SELECT count() FROM test.hits
---->
SELECT sum(Sign) FROM test.visits
---->
SELECT CounterID, count() AS c FROM test.hits GROUP BY CounterID ORDER BY c DESC LIMIT 10
---->
SELECT CounterID, count() AS c FROM test.hits GROUP BY CounterID ORDER BY c DESC LIMIT 10 SETTINGS optimize_aggregation_in_order = 1
---->
SELECT count() FROM test.hits WHERE AdvEngineID != 0
---->
SELECT sum(AdvEngineID), count(), avg(ResolutionWidth) FROM test.hits
---->
SELECT RegionID, uniq(UserID) AS u FROM test.hits WHERE CounterID = 800784 GROUP BY RegionID ORDER BY u DESC, RegionID LIMIT 10 -- nothing
---->
SELECT uniq(UserID), uniqIf(UserID, CounterID = 800784), uniqIf(FUniqID, RegionID = 213) FROM test.hits
---->
-- Tags: distributed


SELECT uniq(UserID), uniqIf(UserID, CounterID = 800784), uniqIf(FUniqID, RegionID = 213) FROM remote('127.0.0.{1,2}', test, hits)
---->
SELECT URL AS `ym:ah:URL`, sum((NOT DontCountHits AND NOT Refresh)), quantilesTimingIf(0.1, 0.5, 0.9)((DOMCompleteTiming + LoadEventEndTiming), DOMCompleteTiming != -1 AND LoadEventEndTiming != -1) as t FROM remote('127.0.0.{1,2}', test, hits) WHERE (CounterID = 800784) AND (((DontCountHits = 0) OR (IsNotBounce = 1)) AND (URL != ''))  GROUP BY `ym:ah:URL` WITH TOTALS   HAVING (sum((NOT DontCountHits AND NOT Refresh)) > 0) AND (count() > 0)  ORDER BY sum((NOT DontCountHits AND NOT Refresh)) DESC, URL  LIMIT 0, 1
---->
SELECT EventTime::DateTime('Asia/Dubai') FROM test.hits ORDER BY EventTime DESC LIMIT 10
---->
-- Tags: distributed


SELECT EventTime::DateTime('Asia/Dubai') FROM remote('127.0.0.{1,2}', test, hits) ORDER BY EventTime DESC LIMIT 10
---->
SELECT ParsedParams.Key1 FROM test.visits FINAL WHERE VisitID != 0 AND notEmpty(ParsedParams.Key1) ORDER BY VisitID LIMIT 10
---->
SELECT GeneralInterests FROM test.hits WHERE AdvEngineID != 0 ORDER BY GeneralInterests DESC LIMIT 10
---->
SELECT AdvEngineID FROM test.hits GROUP BY AdvEngineID WITH TOTALS ORDER BY AdvEngineID
---->
-- Tags: distributed


SELECT anyIf(SearchPhrase, CounterID = -1) FROM remote('127.0.0.{1,2}:9000', test, hits)
---->
SELECT DISTINCT (URLHierarchy(URL)[1]) AS q, 'x' AS w FROM test.hits WHERE CounterID = 14917930 ORDER BY URL
---->
-- Tags: distributed

SET max_rows_to_sort = 10000
---->
SELECT count() FROM (SELECT DISTINCT PredLastVisit AS x FROM remote('127.0.0.{1,2}', test, visits) ORDER BY VisitID)
---->
select sum(Sign) from test.visits where CounterID in (942285)
---->
select sum(Sign) from test.visits where CounterID in (942285, 577322)
---->
select 1 IN (1, 2, 3)
---->
SELECT count() FROM remote('localhost', test, hits) WHERE CounterID IN (598875)
---->
DROP TABLE IF EXISTS test.merge_hits
---->
CREATE TABLE IF NOT EXISTS test.merge_hits AS test.hits ENGINE = Merge(test, '^hits$')
---->
SELECT count() FROM test.merge_hits WHERE AdvEngineID = 2
---->
SELECT count() FROM test.merge_hits PREWHERE AdvEngineID = 2
---->
DROP TABLE test.merge_hits
---->
SET output_format_write_statistics = 0
---->
SELECT goals_alias.ID AS `ym:s:goalDimension`, uniqIf(UserID, (UserID != 0) AND (`_uniq_Goals` = 1))  FROM test.visits ARRAY JOIN Goals AS goals_alias,  arrayEnumerateUniq(Goals.ID)   AS `_uniq_Goals`  WHERE (CounterID = 842440) GROUP BY `ym:s:goalDimension` WITH TOTALS ORDER BY `ym:s:goalDimension` LIMIT 0, 1 FORMAT JSONCompact
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32152608
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9627212
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25152951
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22202319
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13848191
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27855803
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27944638
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16513894
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4314057
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11878090
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23005927
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17205778
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21296650
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12068702
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8446208
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8439835
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30344780
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2881921
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1828473
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27620040
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14960013
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 103918
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9626742
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18370244
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 813903
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22176733
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17175454
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31608140
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11802602
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12577104
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 153437
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32240558
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27444870
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 79306
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15222279
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11782937
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1677
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9527330
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23580782
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33027895
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 199609
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29139484
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1700065
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30212873
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6773723
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21842879
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9460479
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16451704
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 51267
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30489182
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11947625
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18776987
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25762358
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 74905
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 877422
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3465045
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2084559
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13828281
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30299683
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 132115
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10919775
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12329250
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11525543
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32395537
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24537202
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2270964
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8518291
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11897183
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23805647
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22652078
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19363661
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32339088
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11394550
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1988179
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2135273
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14500371
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10463153
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18838936
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24492652
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26848923
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12495799
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12028938
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8934725
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18602951
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32404741
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19171705
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9831187
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20047182
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26690858
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 126413
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31244775
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15690176
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28374997
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12717244
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9152092
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5397339
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12452068
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13626118
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 46783
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11484344
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21453219
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7692388
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30879805
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27784549
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 665663
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30535786
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11685143
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13652647
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9880318
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30148588
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32745436
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27390924
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17470663
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 196859
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22123478
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 87021
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25264218
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24125574
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26099981
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1141558
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 220829
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15651875
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 182483
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28430678
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31384642
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1008241
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10462834
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26829659
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29130002
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17891770
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26531140
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15014338
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15375411
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7952204
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 41859
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21651593
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9527676
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 107394
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23409492
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31407407
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29312961
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9705505
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29848510
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10187274
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 112606
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15639744
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4375349
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1423039
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13933371
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20430236
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30679961
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 37094
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23197674
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 994587
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 437496
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3904733
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19200606
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 84668
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28581029
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11074306
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2470089
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12251899
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16996077
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12426411
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1034934
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4721601
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22026000
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21031300
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 559124
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15492463
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21419604
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25632271
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14446476
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12684903
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23292922
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26976782
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20269131
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18309978
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5305320
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30926629
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14816057
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19523905
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18775058
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32507411
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25535479
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24858652
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32420158
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4805894
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8157258
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5759745
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12626987
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5342591
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10951832
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9729032
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27999107
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7302193
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30447727
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15764416
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15727130
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15116605
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 527313
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16687935
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28304381
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17699739
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17339596
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29348067
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20861945
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12922065
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27019489
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18299445
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 108465
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 233447
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13042904
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31481509
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2267268
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26140306
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19094364
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25000943
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6860549
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30714288
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16289139
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1419182
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33436573
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30062358
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18167743
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27846382
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30148240
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32332238
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25129158
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14066924
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19832770
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29018190
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 852275
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11328399
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28179212
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20155907
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30685297
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32783957
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1552720
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28110991
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4814424
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20171153
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14920591
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 65690
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14357916
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26533001
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17014738
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11977336
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30142464
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14082365
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18851419
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27638649
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8798932
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 717825
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6912378
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26898048
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5992218
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13422462
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21204372
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17845298
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6933004
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21627605
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3395439
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22315068
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24973444
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27751340
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6022884
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32417601
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18087198
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21940806
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23809389
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9510424
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30651933
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17818815
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9038457
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9153497
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29938964
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10471118
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12913162
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14933629
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7173707
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28680585
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1279785
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33276693
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 573557
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27753414
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22968595
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25211823
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32687774
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6062762
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18866703
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5164840
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6462629
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25039797
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10789598
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33076990
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28960547
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32723171
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17888313
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29810654
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21760643
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16678170
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 368520
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12506284
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9802670
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18488016
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 227003
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15254606
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32580177
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30313645
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20879524
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27222776
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11266528
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17018146
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19902143
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19469853
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22823497
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 56768
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 136798
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16554922
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20627728
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6551053
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 124145
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10881152
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17271030
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28213281
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15665842
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28264219
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29277533
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22926441
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31057728
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8027311
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14229492
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14782220
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29099258
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 99953
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9334015
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16156945
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 124031
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1670442
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21036594
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22954047
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16054043
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 121765
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1482385
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25977258
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24596247
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 550092
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1579438
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1205
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 126296
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 177248
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27523607
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15873699
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11971473
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18965085
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19035683
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29640643
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11929806
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9352219
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18492653
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7967264
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11391453
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4289
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3567
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13575826
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2566437
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21042675
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26498330
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23764459
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32664413
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10116935
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24572551
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26788657
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12830859
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 530033
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6764575
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25219472
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10721285
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26254035
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15486693
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10323514
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23578364
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25449880
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13428298
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17679279
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27610140
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15346859
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 535736
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 513828
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20411888
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13595045
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33221835
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 97601
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12819274
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18047205
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19900235
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27830172
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20839743
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29980468
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27417156
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17908689
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24471592
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32147490
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22966030
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21060870
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 238185
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10152551
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11255139
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 982334
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15199978
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15678357
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18206303
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10902608
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22494906
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22204221
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13097211
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30998656
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26656294
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 922545
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9428510
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15137339
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15578624
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31695129
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15791360
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29571338
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5371768
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15163979
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16312681
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6126176
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16061128
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8528634
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 136544
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3093873
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3994698
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8302978
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16115563
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21804036
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9785708
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10847072
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30692218
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15582824
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19802155
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20835290
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 204284
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25636491
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30446517
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16761451
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 456303
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17301839
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27472581
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24078399
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26345482
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 451381
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8576994
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19418898
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10068353
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3767138
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 758020
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13521375
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25968099
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26805240
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13051011
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 901894
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33097016
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12545080
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29944288
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8250825
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12499373
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22535728
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11929724
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3615273
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24172869
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 116132
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12002817
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23681158
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3938
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8468701
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1295067
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27469232
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32708119
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 122578
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12139400
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12219626
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9262336
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9269892
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 122701
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19589931
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29539889
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31115640
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6283044
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30642040
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18065262
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26714391
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15351586
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13090710
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16201652
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31960256
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2658509
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 467277
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1274110
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23640128
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16197014
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28228612
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11659509
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24981440
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 52285
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30583892
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31467341
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25512316
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2908472
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 422752
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32718035
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14213540
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14951444
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6819113
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9532880
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4102488
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19537427
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7078160
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29521616
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5045377
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23131467
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22383622
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22079706
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29466380
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12045654
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30178011
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20821588
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21966434
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29390311
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19370159
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24857158
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31982180
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11990254
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3841725
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13993951
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31252290
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26398773
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 891512
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27087947
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2097095
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26252354
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13928858
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4331960
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30552074
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27905732
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30049284
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2118697
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20849218
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11338538
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3348692
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17693905
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23502543
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8905975
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18343399
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15235863
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20356153
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10552704
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28875831
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1488561
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15012941
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25726446
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2601050
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27426912
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11269650
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14880200
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 362337
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23533327
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26381021
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17522450
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31868526
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18276314
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1841289
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22234319
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11463222
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15251006
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24841412
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28755796
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9087442
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13734462
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9285105
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13289061
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29890926
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30509694
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17698850
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 46229
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16541087
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11305551
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 429238
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7583796
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8604476
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29759280
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1388922
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10884907
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18220244
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 122157
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18069840
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6707469
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26818794
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14770800
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16652737
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25497243
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14747538
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21371935
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1681601
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5343898
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22040058
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 752596
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9377867
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1848946
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1449313
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31332002
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10829982
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22431161
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29172033
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7631750
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 898844
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21460344
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25387068
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30980374
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13021547
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27715925
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30292547
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18666245
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18954194
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29070192
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 914290
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14807517
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23062682
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5132969
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15094854
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 622095
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1244323
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14804701
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11656845
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17167258
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8959523
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23121135
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4339624
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22679035
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13127067
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18362622
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4189114
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18776826
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26792263
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13409810
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22183039
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16132723
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3925258
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14248840
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18135589
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11234961
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11179577
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 178965
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10138078
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21048048
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8001235
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32833016
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32275374
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1430786
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12969140
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25529912
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18395861
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27380554
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16653574
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16372034
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28050494
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6886254
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7472729
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12646802
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6589761
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19556032
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10261903
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4389
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2415202
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20007939
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17957094
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9920354
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24840314
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5077718
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11650674
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19766470
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7854638
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9169290
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22873394
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30838169
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 79894
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25792494
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25326672
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33123311
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33237554
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15130284
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18811870
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25418177
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17202302
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31836505
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28671820
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25643858
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16338596
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27288074
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9458517
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25163573
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15680967
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20413991
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19332304
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23159444
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24708786
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 250297
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29944728
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14582542
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 512441
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31273184
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30255145
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 89813
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14959234
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26621829
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 279206
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13041403
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33392742
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10895948
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20804625
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10129067
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13855355
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31007051
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4109301
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29492024
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28963180
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11530154
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31889101
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1713672
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16069992
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9075873
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14512529
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8632591
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33056094
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28349520
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26806792
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11496875
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11797321
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25795940
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33196708
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13243216
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25096876
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26974949
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27061789
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29686454
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5045092
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2893170
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21528033
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16980819
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30854698
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1041468
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 215125
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 91347
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22706469
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33038294
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1446406
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 183702
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10246325
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13754526
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6854006
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26686232
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29345198
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15956574
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8558022
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14066782
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31710428
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6750831
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14832055
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29613113
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15159107
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6309003
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4311581
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28180829
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15131841
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20458889
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26250664
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31737265
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 802571
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25064649
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21183784
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3218637
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3375471
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1690000
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18602620
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29918973
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8555235
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32152623
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19670163
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25856874
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6142197
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27822106
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8944163
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7596672
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 129436
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33541084
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5199217
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10337246
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12718765
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10729131
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28049397
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1410155
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24924437
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16706889
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 54647
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29407271
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1575071
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6861225
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30114382
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 129970
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21103497
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3433579
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14174715
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8450741
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30033987
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11474175
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9601520
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 7377941
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15646334
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18305797
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2057218
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17121933
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6870927
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19743903
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9019159
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21251610
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 239704
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16170940
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31857931
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25174672
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31546315
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 811438
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33135020
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28325470
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1196502
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 117339
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19198214
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28046111
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27663162
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3651
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8443242
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6773651
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28957858
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15586212
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 155469
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 731800
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13198917
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2080118
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17987407
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1832110
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32960999
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13858070
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2800568
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 381151
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26724412
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 238149
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20458616
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16847984
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14870120
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 4729620
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12886810
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 109350
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17512881
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5250020
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 184094
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3071553
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18940958
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16166873
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13648378
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32750584
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31167464
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21597707
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21992900
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16695153
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12272303
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18958518
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11827733
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12495926
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21022681
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32262727
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12082756
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15636497
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20081370
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26349655
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32832383
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18190567
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 61749
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28596915
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28835938
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32924951
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15835912
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22905942
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12295903
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12461093
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27568271
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33525856
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10351138
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16804486
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24506501
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1336365
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19178381
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17921720
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25396786
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22031463
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19624501
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 28665905
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14851585
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27554706
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14188052
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33301471
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32896955
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1134828
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27050219
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23641604
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22935857
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29805516
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25890338
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20710225
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3925036
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31404180
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25888177
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11074293
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30922753
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11403908
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25615656
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17652214
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 16155802
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5565120
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5508217
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33281735
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 11619273
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 67148
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22687534
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17887682
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18506413
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1443226
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13761576
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30941622
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17681363
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 187532
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 95405
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31073741
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 9706801
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12504322
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31779591
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18781661
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 18284607
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 10633383
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3249127
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17567300
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8789986
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 30073024
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26477401
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32222832
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 23098807
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 50708
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25067039
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29132588
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22947337
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27778601
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25325678
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12822401
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 8876685
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31096269
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17466070
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26058342
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 1468384
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 22665021
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24895973
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15423066
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26091197
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 12103346
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15917190
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 31527060
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 3944
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 24572480
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 229185
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 17038391
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 27368675
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 26899897
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 13257515
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19531252
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 21048946
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 33104049
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20824535
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15014380
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 25235392
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29560548
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 2599836
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 32842358
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 5795232
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29588193
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 19019850
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 29580949
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15335748
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 15094099
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 6308405
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 20762370
---->
SELECT uniq(UserID), sum(Sign) FROM test.visits WHERE CounterID = 14121177
---->
SYSTEM DROP UNCOMPRESSED CACHE
---->
SET local_filesystem_read_method = 'pread_threadpool'
---->
SET min_bytes_to_use_direct_io = 1
---->
SET use_uncompressed_cache = 1
---->
SELECT max(arrayJoin(arrayEnumerateUniq(arrayMap(x -> intDiv(x, 10), URLCategories)))) FROM test.hits
---->
SELECT UserID, arrayEnumerateUniq(groupArray(SearchPhrase)) AS arr
FROM
(
    SELECT UserID, SearchPhrase
    FROM test.hits
    WHERE CounterID = 1704509 AND UserID IN
    (
        SELECT UserID
        FROM test.hits
        WHERE notEmpty(SearchPhrase) AND CounterID = 1704509
        GROUP BY UserID
        HAVING count() > 1
    )
    ORDER BY UserID, WatchID
)
WHERE notEmpty(SearchPhrase)
GROUP BY UserID
HAVING length(arr) > 1
ORDER BY UserID
LIMIT 20
---->
SELECT SearchEngineID AS k1, count() AS c FROM test.hits GROUP BY k1 ORDER BY c DESC, k1 LIMIT 10
---->
SELECT SearchPhrase AS k1, count() AS c FROM test.hits GROUP BY k1 ORDER BY c DESC, k1 LIMIT 10
---->
SELECT toFixedString(substring(SearchPhrase, 1, 17), 17) AS k1, count() AS c FROM test.hits GROUP BY k1 ORDER BY c DESC, k1 LIMIT 10
---->
SELECT SearchEngineID AS k1, AdvEngineID AS k2, count() AS c FROM test.hits GROUP BY k1, k2 ORDER BY c DESC, k1, k2 LIMIT 10
---->
SELECT SearchEngineID AS k1, SearchPhrase AS k2, count() AS c FROM test.hits GROUP BY k1, k2 ORDER BY c DESC, k1, k2 LIMIT 10
---->
SELECT k, any(u) AS u, uniqMerge(us) AS us FROM (SELECT domain(URL) AS k, uniq(UserID) AS u, uniqState(UserID) AS us FROM test.hits GROUP BY k) GROUP BY k ORDER BY u DESC, k ASC LIMIT 100
---->
SELECT topLevelDomain(concat('http://', k)) AS tld, sum(u) AS u, uniqMerge(us) AS us FROM (SELECT domain(URL) AS k, uniq(UserID) AS u, uniqState(UserID) AS us FROM test.hits GROUP BY k) GROUP BY tld ORDER BY u DESC, tld ASC LIMIT 100
---->
SELECT count() FROM test.hits WHERE CounterID < 10000
---->
SELECT count() FROM test.hits WHERE 10000 > CounterID
---->
DROP TABLE IF EXISTS test.basic_00040
---->
set allow_deprecated_syntax_for_merge_tree=1
---->
CREATE MATERIALIZED VIEW test.basic_00040
ENGINE = AggregatingMergeTree(StartDate, (CounterID, StartDate), 8192)
POPULATE AS
SELECT
    CounterID,
    StartDate,
    sumState(Sign) 		AS Visits,
    uniqState(UserID)	AS Users
FROM test.visits
GROUP BY CounterID, StartDate
---->
SELECT
    StartDate,
    sumMerge(Visits)	AS Visits,
    uniqMerge(Users)	AS Users
FROM test.basic_00040
GROUP BY StartDate
ORDER BY StartDate
---->
SELECT
    StartDate,
    sumMerge(Visits)	AS Visits,
    uniqMerge(Users)	AS Users
FROM test.basic_00040
WHERE CounterID = 942285
GROUP BY StartDate
ORDER BY StartDate
---->
SELECT
    StartDate,
    sum(Sign) 			AS Visits,
    uniq(UserID)		AS Users
FROM test.visits
WHERE CounterID = 942285
GROUP BY StartDate
ORDER BY StartDate
---->
DROP TABLE test.basic_00040
---->
DROP TABLE IF EXISTS test.basic
---->
DROP TABLE IF EXISTS test.visits_null
---->
CREATE TABLE test.visits_null
(
    CounterID UInt32,
    StartDate Date,
    Sign Int8,
    UserID UInt64
) ENGINE = Null
---->
CREATE MATERIALIZED VIEW test.basic
ENGINE = AggregatingMergeTree(StartDate, (CounterID, StartDate), 8192)
AS SELECT
    CounterID,
    StartDate,
    sumState(Sign)                  AS Visits,
    uniqState(UserID)               AS Users
FROM test.visits_null
GROUP BY CounterID, StartDate
---->
INSERT INTO test.visits_null
SELECT
    CounterID,
    StartDate,
    Sign,
    UserID
FROM test.visits
---->
SELECT
    StartDate,
    sumMerge(Visits)                AS Visits,
    uniqMerge(Users)                AS Users
FROM test.basic
GROUP BY StartDate
ORDER BY StartDate
---->
SELECT
    StartDate,
    sumMerge(Visits)                AS Visits,
    uniqMerge(Users)                AS Users
FROM test.basic
WHERE CounterID = 942285
GROUP BY StartDate
ORDER BY StartDate
---->
OPTIMIZE TABLE test.basic
---->
DROP TABLE test.visits_null
---->
DROP TABLE test.basic
---->
SELECT
    EventDate,
    hits,
    visits
FROM
(
    SELECT
        EventDate,
        count() AS hits
    FROM test.hits
    GROUP BY EventDate
) ANY LEFT JOIN
(
    SELECT
        StartDate AS EventDate,
        sum(Sign) AS visits
    FROM test.visits
    GROUP BY EventDate
) USING EventDate
ORDER BY hits DESC
LIMIT 10
SETTINGS joined_subquery_requires_alias = 0
---->
SELECT
    EventDate,
    count() AS hits,
    any(visits)
FROM test.hits ANY LEFT JOIN
(
    SELECT
        StartDate AS EventDate,
        sum(Sign) AS visits
    FROM test.visits
    GROUP BY EventDate
) USING EventDate
GROUP BY EventDate
ORDER BY hits DESC
LIMIT 10
SETTINGS joined_subquery_requires_alias = 0
---->
SELECT
    domain,
    hits,
    visits
FROM
(
    SELECT
        domain(URL) AS domain,
        count() AS hits
    FROM test.hits
    GROUP BY domain
) ANY LEFT JOIN
(
    SELECT
        domain(StartURL) AS domain,
        sum(Sign) AS visits
    FROM test.visits
    GROUP BY domain
) USING domain
ORDER BY hits DESC
LIMIT 10
SETTINGS joined_subquery_requires_alias = 0
---->
SELECT RegionID, uniqExact(UserID) AS u1, uniqUpTo(10)(UserID) AS u2 FROM test.visits GROUP BY RegionID HAVING u1 <= 11 AND u1 != u2
---->
-- Tags: distributed

SELECT RegionID, uniqExact(UserID) AS u1, uniqUpTo(10)(UserID) AS u2 FROM remote('127.0.0.{1,2}', test, visits) GROUP BY RegionID HAVING u1 <= 11 AND u1 != u2
---->
SELECT CounterID, count() AS c, bar(c, 0, 523264) FROM test.hits GROUP BY CounterID ORDER BY c DESC, CounterID ASC LIMIT 100
---->
SELECT CounterID, count() AS c, bar(c, 0, 523264) FROM test.hits GROUP BY CounterID ORDER BY c DESC, CounterID ASC LIMIT 100 SETTINGS optimize_aggregation_in_order = 1
---->
SELECT min(EventDate), max(EventDate) FROM test.hits
---->
SELECT CounterID, count(), maxIf(SearchPhrase, notEmpty(SearchPhrase)) FROM test.hits GROUP BY CounterID ORDER BY count() DESC LIMIT 20
---->
SELECT CounterID, count(), maxIf(SearchPhrase, notEmpty(SearchPhrase)) FROM test.hits GROUP BY CounterID ORDER BY count() DESC LIMIT 20 SETTINGS optimize_aggregation_in_order = 1
---->
SELECT CounterID, min(WatchID), max(WatchID) FROM test.hits GROUP BY CounterID ORDER BY count() DESC LIMIT 20
---->
SELECT CounterID, min(WatchID), max(WatchID) FROM test.hits GROUP BY CounterID ORDER BY count() DESC LIMIT 20 SETTINGS optimize_aggregation_in_order = 1
---->
SELECT CounterID, count(), max(GoalsReached), min(GoalsReached), minIf(GoalsReached, notEmpty(GoalsReached)) FROM test.hits GROUP BY CounterID ORDER BY count() DESC LIMIT 20
---->
SELECT CounterID, count(), max(GoalsReached), min(GoalsReached), minIf(GoalsReached, notEmpty(GoalsReached)) FROM test.hits GROUP BY CounterID ORDER BY count() DESC LIMIT 20 SETTINGS optimize_aggregation_in_order = 1
---->
select StartDate, TraficSourceID in (0) ? 'type_in' : 'other' as traf_type, sum(Sign) 
from test.visits 
where CounterID = 842440
group by StartDate, traf_type ORDER BY StartDate, traf_type
---->
-- Tags: replica

SELECT count() > 0 FROM (SELECT ParsedParams.Key1 AS p FROM test.visits WHERE arrayAll(y -> arrayExists(x -> y != x, p), p))
---->
DROP TABLE IF EXISTS test.partitions
---->
CREATE TABLE test.partitions (EventDate Date, CounterID UInt32) ENGINE = MergeTree(EventDate, CounterID, 8192)
---->
INSERT INTO test.partitions SELECT EventDate + UserID % 365 AS EventDate, CounterID FROM test.hits WHERE CounterID = 1704509
---->
SELECT count() FROM test.partitions
---->
SELECT count() FROM test.partitions WHERE EventDate >= toDate('2015-01-01') AND EventDate < toDate('2015-02-01')
---->
SELECT count() FROM test.partitions WHERE EventDate < toDate('2015-01-01') OR EventDate >= toDate('2015-02-01')
---->
ALTER TABLE test.partitions DETACH PARTITION 201501
---->
ALTER TABLE test.partitions ATTACH PARTITION 201501
---->
ALTER TABLE test.partitions DETACH PARTITION 201403
---->
INSERT INTO test.partitions SELECT EventDate + UserID % 365 AS EventDate, CounterID FROM test.hits WHERE CounterID = 1704509 AND toStartOfMonth(EventDate) = toDate('2014-03-01')
---->
ALTER TABLE test.partitions ATTACH PARTITION 201403
---->
DROP TABLE test.partitions
---->
SELECT count() FROM test.hits WHERE NOT (EventDate >= toDate('2015-01-01') AND EventDate < toDate('2015-02-01'))
---->
DROP TABLE IF EXISTS test.view
---->
CREATE VIEW test.view AS SELECT CounterID, count() AS c FROM test.hits GROUP BY CounterID
---->
SELECT count() FROM test.view
---->
SELECT c, count() FROM test.view GROUP BY c ORDER BY count() DESC LIMIT 10
---->
SELECT * FROM test.view ORDER BY c DESC LIMIT 10
---->
SELECT * FROM test.view SAMPLE 0.1 ORDER BY c DESC LIMIT 10
---->
DROP TABLE test.view
---->
SELECT CounterID FROM test.visits ARRAY JOIN Goals.ID WHERE CounterID = 942285 ORDER BY CounterID
---->
SET optimize_move_to_prewhere = 1
---->
SELECT uniq(URL) FROM test.hits WHERE TraficSourceID IN (7)
---->
DROP TABLE IF EXISTS test.hits_dst
---->
DROP TABLE IF EXISTS test.hits_buffer
---->
CREATE TABLE test.hits_dst AS test.hits
---->
CREATE TABLE test.hits_buffer AS test.hits_dst ENGINE = Buffer(test, hits_dst, 8, 1, 10, 10000, 100000, 10000000, 100000000)
---->
INSERT INTO test.hits_buffer SELECT * FROM test.hits WHERE CounterID = 800784
---->
SELECT count() FROM test.hits_buffer
---->
SELECT count() FROM test.hits_dst
---->
OPTIMIZE TABLE test.hits_buffer
---->
DROP TABLE test.hits_dst
---->
DROP TABLE test.hits_buffer
---->
SELECT loyalty, count() AS c, bar(log(c + 1) * 1000, 0, log(6000) * 1000, 80) FROM (SELECT UserID, toInt8((yandex > google ? yandex / (yandex + google) : -google / (yandex + google)) * 10) AS loyalty FROM (SELECT UserID, sum(SearchEngineID = 2) AS yandex, sum(SearchEngineID = 3) AS google FROM test.hits WHERE SearchEngineID = 2 OR SearchEngineID = 3 GROUP BY UserID HAVING yandex + google > 10)) GROUP BY loyalty ORDER BY loyalty
---->
SET any_join_distinct_right_table_keys = 1
---->
SET joined_subquery_requires_alias = 0
---->
SELECT
    loyalty,
    count()
FROM test.hits ANY LEFT JOIN
(
    SELECT
        UserID,
        sum(SearchEngineID = 2) AS yandex,
        sum(SearchEngineID = 3) AS google,
        toInt8(if(yandex > google, yandex / (yandex + google), -google / (yandex + google)) * 10) AS loyalty
    FROM test.hits
    WHERE (SearchEngineID = 2) OR (SearchEngineID = 3)
    GROUP BY UserID
    HAVING (yandex + google) > 10
) USING UserID
GROUP BY loyalty
ORDER BY loyalty ASC
---->
SELECT
    loyalty,
    count()
FROM
(
    SELECT UserID
    FROM test.hits
) ANY LEFT JOIN
(
    SELECT
        UserID,
        sum(SearchEngineID = 2) AS yandex,
        sum(SearchEngineID = 3) AS google,
        toInt8(if(yandex > google, yandex / (yandex + google), -google / (yandex + google)) * 10) AS loyalty
    FROM test.hits
    WHERE (SearchEngineID = 2) OR (SearchEngineID = 3)
    GROUP BY UserID
    HAVING (yandex + google) > 10
) USING UserID
GROUP BY loyalty
ORDER BY loyalty ASC
---->
SELECT
    loyalty,
    count()
FROM
(
    SELECT
        loyalty,
        UserID
    FROM
    (
        SELECT UserID
        FROM test.hits
    ) ANY LEFT JOIN
    (
        SELECT
            UserID,
            sum(SearchEngineID = 2) AS yandex,
            sum(SearchEngineID = 3) AS google,
            toInt8(if(yandex > google, yandex / (yandex + google), -google / (yandex + google)) * 10) AS loyalty
        FROM test.hits
        WHERE (SearchEngineID = 2) OR (SearchEngineID = 3)
        GROUP BY UserID
        HAVING (yandex + google) > 10
    ) USING UserID
)
GROUP BY loyalty
ORDER BY loyalty ASC
---->
SELECT
    loyalty,
    count() AS c,
    bar(log(c + 1) * 1000, 0, log(3000000) * 1000, 80)
FROM test.hits ANY INNER JOIN
(
    SELECT
        UserID,
        toInt8(if(yandex > google, yandex / (yandex + google), -google / (yandex + google)) * 10) AS loyalty
    FROM
    (
        SELECT
            UserID,
            sum(SearchEngineID = 2) AS yandex,
            sum(SearchEngineID = 3) AS google
        FROM test.hits
        WHERE (SearchEngineID = 2) OR (SearchEngineID = 3)
        GROUP BY UserID
        HAVING (yandex + google) > 10
    )
) USING UserID
GROUP BY loyalty
ORDER BY loyalty ASC
---->
USE test
---->
DROP TABLE IF EXISTS join
---->
CREATE TABLE join (UserID UInt64, loyalty Int8) ENGINE = Join(SEMI, LEFT, UserID)
---->
INSERT INTO join
SELECT
    UserID,
    toInt8(if((sum(SearchEngineID = 2) AS yandex) > (sum(SearchEngineID = 3) AS google),
    yandex / (yandex + google),
    -google / (yandex + google)) * 10) AS loyalty
FROM hits
WHERE (SearchEngineID = 2) OR (SearchEngineID = 3)
GROUP BY UserID
HAVING (yandex + google) > 10
---->
SELECT
    loyalty,
    count()
FROM hits SEMI LEFT JOIN join USING UserID
GROUP BY loyalty
ORDER BY loyalty ASC
---->
DETACH TABLE join
---->
ATTACH TABLE join
---->
DROP TABLE join
---->
-- Tags: replica, distributed, no-random-settings


SET max_parallel_replicas = 2
---->
SELECT EventTime::DateTime('Asia/Dubai') FROM remote('127.0.0.{1|2}', test, hits) ORDER BY EventTime DESC LIMIT 10
---->
SELECT * FROM
(
	SELECT UserID AS id, 1 AS event
	FROM remote('127.0.0.{1,2}', test, hits)
	ORDER BY id DESC
	LIMIT 10
UNION ALL
	SELECT FUniqID AS id, 2 AS event
	FROM remote('127.0.0.{1,2}', test, hits)
	ORDER BY id DESC
	LIMIT 10
)
ORDER BY id, event
---->
SELECT count() FROM test.hits PREWHERE UserID IN (SELECT UserID FROM test.hits WHERE CounterID = 800784)
---->
SELECT URL, EventDate, max(URL) FROM test.hits WHERE CounterID = 1704509 AND UserID = 4322253409885123546 GROUP BY URL, EventDate, EventDate ORDER BY URL, EventDate
---->
DROP TABLE IF EXISTS test.hits_snippet
---->
CREATE TABLE test.hits_snippet(EventTime DateTime('Asia/Dubai'),  EventDate Date,  CounterID UInt32,  UserID UInt64,  URL String,  Referer String) ENGINE = MergeTree(EventDate, intHash32(UserID), (CounterID, EventDate, intHash32(UserID), EventTime), 8192)
---->
SET min_insert_block_size_rows = 0, min_insert_block_size_bytes = 0
---->
SET max_block_size = 4096
---->
INSERT INTO test.hits_snippet(EventTime, EventDate, CounterID, UserID, URL, Referer) SELECT EventTime, EventDate, CounterID, UserID, URL, Referer FROM test.hits WHERE EventDate = toDate('2014-03-18') ORDER BY EventTime, EventDate, CounterID, UserID, URL, Referer ASC LIMIT 50
---->
INSERT INTO test.hits_snippet(EventTime, EventDate, CounterID, UserID, URL, Referer) SELECT EventTime, EventDate, CounterID, UserID, URL, Referer FROM test.hits WHERE EventDate = toDate('2014-03-19') ORDER BY EventTime, EventDate, CounterID, UserID, URL, Referer ASC LIMIT 50
---->
SET min_bytes_to_use_direct_io = 8192
---->
OPTIMIZE TABLE test.hits_snippet
---->
SELECT EventTime, EventDate, CounterID, UserID, URL, Referer FROM test.hits_snippet ORDER BY EventTime, EventDate, CounterID, UserID, URL, Referer ASC
---->
DROP TABLE test.hits_snippet
---->
SELECT count() FROM test.hits WHERE EventDate = '2014-03-18'
---->
SELECT count() FROM test.hits WHERE EventDate < '2014-03-18'
---->
SELECT count() FROM test.hits WHERE EventDate > '2014-03-18'
---->
SELECT count() FROM test.hits WHERE EventDate <= '2014-03-18'
---->
SELECT count() FROM test.hits WHERE EventDate >= '2014-03-18'
---->
SELECT count() FROM test.hits WHERE EventDate IN ('2014-03-18', '2014-03-19')
---->
SELECT count() FROM test.hits WHERE EventDate = toDate('2014-03-18')
---->
SELECT count() FROM test.hits WHERE EventDate < toDate('2014-03-18')
---->
SELECT count() FROM test.hits WHERE EventDate > toDate('2014-03-18')
---->
SELECT count() FROM test.hits WHERE EventDate <= toDate('2014-03-18')
---->
SELECT count() FROM test.hits WHERE EventDate >= toDate('2014-03-18')
---->
SELECT count() FROM test.hits WHERE EventDate IN (toDate('2014-03-18'), toDate('2014-03-19'))
---->
SELECT count() FROM test.hits WHERE EventDate = concat('2014-0', '3-18')
---->
DROP TABLE IF EXISTS test.hits_indexed_by_time
---->
CREATE TABLE test.hits_indexed_by_time (EventDate Date, EventTime DateTime('Asia/Dubai')) ENGINE = MergeTree ORDER BY (EventDate, EventTime)
---->
INSERT INTO test.hits_indexed_by_time SELECT EventDate, EventTime FROM test.hits
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime = '2014-03-18 01:02:03'
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime < '2014-03-18 01:02:03'
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime > '2014-03-18 01:02:03'
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime <= '2014-03-18 01:02:03'
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime >= '2014-03-18 01:02:03'
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime IN ('2014-03-18 01:02:03', '2014-03-19 04:05:06')
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime = toDateTime('2014-03-18 01:02:03', 'Asia/Dubai')
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime < toDateTime('2014-03-18 01:02:03', 'Asia/Dubai')
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime > toDateTime('2014-03-18 01:02:03', 'Asia/Dubai')
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime <= toDateTime('2014-03-18 01:02:03', 'Asia/Dubai')
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime >= toDateTime('2014-03-18 01:02:03', 'Asia/Dubai')
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime IN (toDateTime('2014-03-18 01:02:03', 'Asia/Dubai'), toDateTime('2014-03-19 04:05:06', 'Asia/Dubai'))
---->
SELECT count() FROM test.hits_indexed_by_time WHERE EventTime = concat('2014-03-18 ', '01:02:03')
---->
DROP TABLE test.hits_indexed_by_time
---->
SELECT EventDate, uniqExact(UserID), length(groupUniqArray(UserID)), arrayUniq(groupArray(UserID)) FROM test.hits WHERE CounterID = 1704509 GROUP BY EventDate ORDER BY EventDate
---->
set any_join_distinct_right_table_keys = 1
---->
set joined_subquery_requires_alias = 0
---->
SELECT
    CounterID,
    hits,
    visits
FROM
(
    SELECT
        (CounterID % 100000) AS CounterID,
        count() AS hits
    FROM test.hits
    GROUP BY CounterID
) ANY FULL OUTER JOIN
(
    SELECT
        (CounterID % 100000) AS CounterID,
        sum(Sign) AS visits
    FROM test.visits
    GROUP BY CounterID
    HAVING visits > 0
) USING CounterID
WHERE hits = 0 OR visits = 0
ORDER BY
    hits + visits * 10 DESC,
    CounterID ASC
LIMIT 20
---->
SELECT
    CounterID,
    hits,
    visits
FROM
(
    SELECT
        (CounterID % 100000) AS CounterID,
        count() AS hits
    FROM test.hits
    GROUP BY CounterID
) ANY LEFT JOIN
(
    SELECT
        (CounterID % 100000) AS CounterID,
        sum(Sign) AS visits
    FROM test.visits
    GROUP BY CounterID
    HAVING visits > 0
) USING CounterID
WHERE hits = 0 OR visits = 0
ORDER BY
    hits + visits * 10 DESC,
    CounterID ASC
LIMIT 20
---->
SELECT
    CounterID,
    hits,
    visits
FROM
(
    SELECT
        (CounterID % 100000) AS CounterID,
        count() AS hits
    FROM test.hits
    GROUP BY CounterID
) ANY RIGHT JOIN
(
    SELECT
        (CounterID % 100000) AS CounterID,
        sum(Sign) AS visits
    FROM test.visits
    GROUP BY CounterID
    HAVING visits > 0
) USING CounterID
WHERE hits = 0 OR visits = 0
ORDER BY
    hits + visits * 10 DESC,
    CounterID ASC
LIMIT 20
---->
SELECT
    CounterID,
    hits,
    visits
FROM
(
    SELECT
        (CounterID % 100000) AS CounterID,
        count() AS hits
    FROM test.hits
    GROUP BY CounterID
) ANY INNER JOIN
(
    SELECT
        (CounterID % 100000) AS CounterID,
        sum(Sign) AS visits
    FROM test.visits
    GROUP BY CounterID
    HAVING visits > 0
) USING CounterID
WHERE hits = 0 OR visits = 0
ORDER BY
    hits + visits * 10 DESC,
    CounterID ASC
LIMIT 20
---->
SELECT UserID, EventTime::DateTime('Asia/Dubai'), pp.Key1, pp.Key2, ParsedParams.Key1 FROM test.hits ARRAY JOIN ParsedParams AS pp WHERE CounterID = 1704509 ORDER BY UserID, EventTime, pp.Key1, pp.Key2 LIMIT 100
---->
SELECT UserID, EventTime::DateTime('Asia/Dubai'), pp.Key1, pp.Key2, ParsedParams.Key1 FROM test.hits LEFT ARRAY JOIN ParsedParams AS pp WHERE CounterID = 1704509 ORDER BY UserID, EventTime, pp.Key1, pp.Key2 LIMIT 100
---->
-- NOTE: database = currentDatabase() is not mandatory
SELECT sum(data_compressed_bytes) > 0, sum(data_uncompressed_bytes) > 0, sum(marks_bytes) > 0 FROM system.columns
---->
SET check_query_single_value_result = 1
---->
DROP TABLE IF EXISTS test.hits_log
---->
DROP TABLE IF EXISTS test.hits_tinylog
---->
DROP TABLE IF EXISTS test.hits_stripelog
---->
CREATE TABLE test.hits_log (CounterID UInt32, AdvEngineID UInt8, RegionID UInt32, SearchPhrase String, UserID UInt64) ENGINE = Log
---->
CREATE TABLE test.hits_tinylog (CounterID UInt32, AdvEngineID UInt8, RegionID UInt32, SearchPhrase String, UserID UInt64) ENGINE = TinyLog
---->
CREATE TABLE test.hits_stripelog (CounterID UInt32, AdvEngineID UInt8, RegionID UInt32, SearchPhrase String, UserID UInt64) ENGINE = StripeLog
---->
CHECK TABLE test.hits_log
---->
CHECK TABLE test.hits_tinylog
---->
CHECK TABLE test.hits_stripelog
---->
INSERT INTO test.hits_log SELECT CounterID, AdvEngineID, RegionID, SearchPhrase, UserID FROM test.hits
---->
INSERT INTO test.hits_tinylog SELECT CounterID, AdvEngineID, RegionID, SearchPhrase, UserID FROM test.hits
---->
INSERT INTO test.hits_stripelog SELECT CounterID, AdvEngineID, RegionID, SearchPhrase, UserID FROM test.hits
---->
SELECT count(), sum(cityHash64(CounterID, AdvEngineID, RegionID, SearchPhrase, UserID)) FROM test.hits
---->
SELECT count(), sum(cityHash64(*)) FROM test.hits_log
---->
SELECT count(), sum(cityHash64(*)) FROM test.hits_tinylog
---->
SELECT count(), sum(cityHash64(*)) FROM test.hits_stripelog
---->
DROP TABLE test.hits_log
---->
DROP TABLE test.hits_tinylog
---->
DROP TABLE test.hits_stripelog
---->
SELECT GoalsReached AS k, count() AS c FROM test.hits GROUP BY k ORDER BY c DESC LIMIT 10
---->
SELECT GeneralInterests AS k1, GoalsReached AS k2, count() AS c FROM test.hits GROUP BY k1, k2 ORDER BY c DESC LIMIT 10
---->
SELECT ParsedParams.Key1 AS k1, GeneralInterests AS k2, count() AS c FROM test.hits GROUP BY k1, k2 ORDER BY c DESC LIMIT 10
---->
SELECT ParsedParams.Key1 AS k1, GeneralInterests AS k2, count() AS c FROM test.hits WHERE notEmpty(k1) AND notEmpty(k2) GROUP BY k1, k2 ORDER BY c DESC LIMIT 10
---->
SELECT PP.Key1 AS `ym:s:paramsLevel1`, sum(arrayAll(`x_1` -> `x_1`= '', ParsedParams.Key2)) AS `ym:s:visits` FROM test.hits ARRAY JOIN ParsedParams AS `PP`  WHERE CounterID = 1704509 GROUP BY `ym:s:paramsLevel1` ORDER BY PP.Key1, `ym:s:visits` LIMIT 0, 100
---->
SELECT PP.Key1 AS x1, ParsedParams.Key2 AS x2 FROM test.hits ARRAY JOIN ParsedParams AS PP WHERE CounterID = 1704509 ORDER BY x1, x2 LIMIT 10
---->
SELECT ParsedParams.Key2 AS x FROM test.hits ARRAY JOIN ParsedParams AS PP ORDER BY x DESC LIMIT 10
---->
SELECT count() FROM (SELECT Goals.ID FROM test.visits ARRAY JOIN Goals WHERE CounterID = 842440 LIMIT 10 UNION ALL SELECT Goals.ID FROM test.visits ARRAY JOIN Goals WHERE CounterID = 842440 LIMIT 10)
---->
SET allow_experimental_analyzer = 1
---->
SELECT count() AS c FROM test.hits WHERE CounterID = 1704509 WITH TOTALS SETTINGS totals_mode = 'before_having',          max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT count() AS c FROM test.hits WHERE CounterID = 1704509 WITH TOTALS SETTINGS totals_mode = 'after_having_inclusive', max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT count() AS c FROM test.hits WHERE CounterID = 1704509 WITH TOTALS SETTINGS totals_mode = 'after_having_exclusive', max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT count() AS c FROM test.hits WHERE CounterID = 1704509 WITH TOTALS SETTINGS totals_mode = 'after_having_auto',      max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT 1 AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS SETTINGS totals_mode = 'before_having',          max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT 1 AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS SETTINGS totals_mode = 'after_having_inclusive', max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT 1 AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS SETTINGS totals_mode = 'after_having_exclusive', max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT 1 AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS SETTINGS totals_mode = 'after_having_auto',      max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT TraficSourceID AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS ORDER BY k SETTINGS totals_mode = 'before_having',          max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT TraficSourceID AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS ORDER BY k SETTINGS totals_mode = 'after_having_inclusive', max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT TraficSourceID AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS ORDER BY k SETTINGS totals_mode = 'after_having_exclusive', max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT TraficSourceID AS k, count() AS c FROM test.hits WHERE CounterID = 1704509 GROUP BY k WITH TOTALS ORDER BY k SETTINGS totals_mode = 'after_having_auto',      max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'
---->
SELECT CounterID AS k, quantileExact(0.5)(ResolutionWidth) FROM test.hits GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantilesExact(0.1, 0.5, 0.9, 0.99, 0.999)(ResolutionWidth) FROM test.hits GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantileTiming(0.5)(ResolutionWidth) FROM test.hits GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantilesTiming(0.1, 0.5, 0.9, 0.99, 0.999)(ResolutionWidth) FROM test.hits GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantileExact(0.5)(ResolutionWidth) FROM remote('127.0.0.{1,2}', test.hits) GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantilesExact(0.1, 0.5, 0.9, 0.99, 0.999)(ResolutionWidth) FROM remote('127.0.0.{1,2}', test.hits) GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantileTiming(0.5)(ResolutionWidth) FROM remote('127.0.0.{1,2}', test.hits) GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantilesTiming(0.1, 0.5, 0.9, 0.99, 0.999)(ResolutionWidth) FROM remote('127.0.0.{1,2}', test.hits) GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT sum(length(ParsedParams.Key1)) FROM test.hits WHERE notEmpty(ParsedParams.Key1)
---->
SELECT sum(length(ParsedParams.ValueDouble)) FROM test.hits WHERE notEmpty(ParsedParams.ValueDouble)
---->
SET max_bytes_before_external_group_by = 200000000
---->
SET max_memory_usage = 1500000000
---->
SET max_threads = 12
---->
SELECT URL, uniq(SearchPhrase) AS u FROM test.hits GROUP BY URL ORDER BY u DESC, URL LIMIT 10
---->
SET max_memory_usage = 300000000
---->
SET max_threads = 2
---->
SET aggregation_memory_efficient_merge_threads = 1
---->
SELECT any(0) FROM test.visits WHERE (toInt32(toDateTime(StartDate))) > 1000000000
---->
SELECT arrayFilter(x -> x != 1, arrayMap((a, b) -> a = b, GeneralInterests, arrayReduce('groupArray', GeneralInterests))) AS res FROM test.hits WHERE length(res) != 0
---->
SET max_rows_to_read = 1000
---->
SELECT CounterID, uniq(UserID) FROM test.hits WHERE 0 != 0 GROUP BY CounterID
---->
SELECT CounterID, uniq(UserID) FROM test.hits WHERE 0 != 0 GROUP BY CounterID SETTINGS optimize_aggregation_in_order = 1
---->
SELECT CounterID, uniq(UserID) FROM test.hits WHERE 0 AND CounterID = 1704509 GROUP BY CounterID
---->
SELECT CounterID, uniq(UserID) FROM test.hits WHERE 0 AND CounterID = 1704509 GROUP BY CounterID SETTINGS optimize_aggregation_in_order = 1
---->
-- Tags: shard

SET output_format_write_statistics = 0
---->
SELECT EventDate, count() FROM remote('127.0.0.1', test.hits) WHERE UserID GLOBAL IN (SELECT UserID FROM test.hits) GROUP BY EventDate ORDER BY EventDate LIMIT 5 FORMAT JSONCompact
---->
SET max_threads = 0
---->
-- let's reset to automatic detection of the number of threads, otherwise test can be slow.

SELECT count() FROM test.hits WHERE position(URL, 'metrika') != position(URL, materialize('metrika'))
---->
SELECT count() FROM test.hits WHERE positionCaseInsensitive(URL, 'metrika') != positionCaseInsensitive(URL, materialize('metrika'))
---->
SELECT count() FROM test.hits WHERE positionUTF8(Title, 'новости') != positionUTF8(Title, materialize('новости'))
---->
SELECT count() FROM test.hits WHERE positionCaseInsensitiveUTF8(Title, 'новости') != positionCaseInsensitiveUTF8(Title, materialize('новости'))
---->
SELECT position(URL, domain(URL)) AS x FROM test.hits WHERE x = 0 AND URL NOT LIKE '%yandex.ru%' LIMIT 100
---->
SELECT URL FROM test.hits WHERE x > 10 ORDER BY position(URL, domain(URL)) AS x DESC, URL LIMIT 2
---->
SELECT DISTINCT URL, URLDomain, position('http://yandex.ru/', domain(URL)) AS x FROM test.hits WHERE x > 8 ORDER BY position('http://yandex.ru/', domain(URL)) DESC, URL LIMIT 3
---->
-- Tags: no-parallel-replicas
-- Requires investigation (max_bytes_to_read is not respected)

SET max_bytes_to_read = 600000000
---->
SELECT uniq(URL) FROM test.hits WHERE toTimeZone(EventTime, 'Asia/Dubai') >= '2014-03-20 00:00:00' AND toTimeZone(EventTime, 'Asia/Dubai') < '2014-03-21 00:00:00'
---->
SELECT uniq(URL) FROM test.hits WHERE toTimeZone(EventTime, 'Asia/Dubai') >= '2014-03-20 00:00:00' AND URL != '' AND toTimeZone(EventTime, 'Asia/Dubai') < '2014-03-21 00:00:00'
---->
SELECT uniq(*) FROM test.hits WHERE toTimeZone(EventTime, 'Asia/Dubai') >= '2014-03-20 00:00:00' AND toTimeZone(EventTime, 'Asia/Dubai') < '2014-03-21 00:00:00' AND EventDate = '2014-03-21'
---->
WITH toTimeZone(EventTime, 'Asia/Dubai') AS xyz SELECT uniq(*) FROM test.hits WHERE xyz >= '2014-03-20 00:00:00' AND xyz < '2014-03-21 00:00:00' AND EventDate = '2014-03-21'
---->
SET optimize_move_to_prewhere = 0
---->
-- { serverError 307 }
SELECT uniq(URL) FROM test.hits WHERE toTimeZone(EventTime, 'Asia/Dubai') >= '2014-03-20 00:00:00' AND URL != '' AND toTimeZone(EventTime, 'Asia/Dubai') < '2014-03-21 00:00:00'
---->
SELECT arrayJoin([SearchEngineID]) AS search_engine, URL FROM test.hits WHERE SearchEngineID != 0 AND search_engine != 0 FORMAT Null
---->
SELECT
    arrayJoin([0]) AS browser,
    arrayJoin([SearchEngineID]) AS search_engine,
    URL
FROM test.hits
WHERE 1 AND (SearchEngineID != 0) AND (browser != 0) AND (search_engine != 0)
FORMAT Null
---->
SELECT `ParsedParams.Key2` AS x
FROM test.hits
ARRAY JOIN ParsedParams AS PP
ORDER BY x ASC
LIMIT 2
---->
SELECT arrayJoin(`ParsedParams.Key2`) AS x FROM test.hits ORDER BY x ASC LIMIT 2
---->
WITH arrayJoin(`ParsedParams.Key2`) AS pp SELECT ParsedParams.Key2 AS x FROM test.hits ORDER BY x ASC LIMIT 2
---->
WITH arrayJoin(`ParsedParams.Key2`) AS pp SELECT ParsedParams.Key2 AS x FROM test.hits WHERE NOT ignore(pp) ORDER BY x ASC LIMIT 2
---->
-- Tags: no-debug, use-vectorscan

-- Check that server does not get segfault due to bad stack unwinding from Hyperscan

SET query_profiler_cpu_time_period_ns = 1000000
---->
SET query_profiler_real_time_period_ns = 1000000
---->
SELECT count() FROM test.hits WHERE multiFuzzyMatchAny(URL, 2, ['about/address', 'for_woman', '^https?://lm-company.ruy/$', 'ultimateguitar.com'])
---->
-- Even in presense of OR, we evaluate the "0 IN (1, 2, 3)" as a constant expression therefore it does not prevent the index analysis.

SELECT count() FROM test.hits WHERE CounterID IN (14917930, 33034174) OR 0 IN (1, 2, 3) SETTINGS max_rows_to_read = 1000000, force_primary_key = 1
---->
/* Note that queries are written as the user doesn't really understand that the symbol _ has special meaning in LIKE pattern. */
SELECT count() FROM test.hits WHERE URL LIKE '%/avtomobili_s_probegom/_%__%__%__%'
---->
SELECT count() FROM test.hits WHERE URL LIKE '/avtomobili_s_probegom/_%__%__%__%'
---->
SELECT count() FROM test.hits WHERE URL LIKE '%_/avtomobili_s_probegom/_%__%__%__%'
---->
SELECT count() FROM test.hits WHERE URL LIKE '%avtomobili%'
---->
-- Tags: no-replicated-database, no-parallel
-- Tag no-replicated-database: Does not support renaming of multiple tables in single query

RENAME TABLE test.hits TO test.visits_tmp, test.visits TO test.hits, test.visits_tmp TO test.visits
---->
SELECT sum(Sign) FROM test.hits WHERE CounterID = 912887
---->
SELECT count() FROM test.visits WHERE CounterID = 732797
---->
RENAME TABLE test.hits TO test.hits_tmp, test.hits_tmp TO test.hits
---->
RENAME TABLE test.hits TO test.visits_tmp, test.visits TO test.hits, test.visits_tmp TO test.visits
---->
SELECT count() FROM test.hits WHERE CounterID = 732797
---->
SELECT sum(Sign) FROM test.visits WHERE CounterID = 912887
---->
RENAME TABLE test.hits TO test.hits2, test.hits2 TO test.hits3, test.hits3 TO test.hits4, test.hits4 TO test.hits5, test.hits5 TO test.hits6, test.hits6 TO test.hits7, test.hits7 TO test.hits8, test.hits8 TO test.hits9, test.hits9 TO test.hits10
---->
SELECT count() FROM test.hits10 WHERE CounterID = 732797
---->
RENAME TABLE test.hits10 TO test.hits
---->
RENAME TABLE test.hits TO default.hits, test.visits TO test.hits
---->
SELECT count() FROM default.hits WHERE CounterID = 732797
---->
RENAME TABLE test.hits TO test.visits, default.hits TO test.hits
---->
SELECT transform(SearchEngineID, [2, 3], ['Яндекс', 'Google'], 'Остальные') AS title, count() AS c FROM test.hits WHERE SearchEngineID != 0 GROUP BY title HAVING c > 0 ORDER BY c DESC LIMIT 10
---->
SELECT table, name, type, default_kind, default_expression FROM system.columns WHERE database = 'test' AND table = 'hits'
---->
SELECT transform(SearchEngineID, [2, 3], ['Яндекс', 'Google'], PageCharset) AS title, count() AS c FROM test.hits WHERE SearchEngineID != 0 GROUP BY title HAVING c > 0 ORDER BY c DESC LIMIT 10
---->
SELECT EventDate, finalizeAggregation(state), runningAccumulate(state) FROM (SELECT EventDate, uniqState(UserID) AS state FROM test.hits GROUP BY EventDate ORDER BY EventDate)
---->
SELECT varSamp(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 0)
---->
SELECT varSamp(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 1)
---->
SELECT round(varSamp(ResolutionWidth), 6) FROM test.hits
---->
SELECT stddevSamp(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 0)
---->
SELECT stddevSamp(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 1)
---->
SELECT round(stddevSamp(ResolutionWidth), 6) FROM test.hits
---->
SELECT varPop(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 0)
---->
SELECT varPop(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 1)
---->
SELECT round(varPop(ResolutionWidth), 6) FROM test.hits
---->
SELECT stddevPop(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 0)
---->
SELECT stddevPop(ResolutionWidth) FROM (SELECT ResolutionWidth FROM test.hits LIMIT 1)
---->
SELECT round(stddevPop(ResolutionWidth), 6) FROM test.hits
---->
SELECT covarSamp(ResolutionWidth, ResolutionHeight) FROM (SELECT ResolutionWidth, ResolutionHeight FROM test.hits LIMIT 0)
---->
SELECT covarSamp(ResolutionWidth, ResolutionHeight) FROM (SELECT ResolutionWidth, ResolutionHeight FROM test.hits LIMIT 1)
---->
SELECT round(covarSamp(ResolutionWidth, ResolutionHeight), 6) FROM test.hits
---->
SELECT covarPop(ResolutionWidth, ResolutionHeight) FROM (SELECT ResolutionWidth, ResolutionHeight FROM test.hits LIMIT 0)
---->
SELECT covarPop(ResolutionWidth, ResolutionHeight) FROM (SELECT ResolutionWidth, ResolutionHeight FROM test.hits LIMIT 1)
---->
SELECT round(covarPop(ResolutionWidth, ResolutionHeight), 6) FROM test.hits
---->
SELECT corr(ResolutionWidth, ResolutionHeight) FROM (SELECT ResolutionWidth, ResolutionHeight FROM test.hits LIMIT 0)
---->
SELECT corr(ResolutionWidth, ResolutionHeight) FROM (SELECT ResolutionWidth, ResolutionHeight FROM test.hits LIMIT 1)
---->
SELECT round(corr(ResolutionWidth, ResolutionHeight), 6) FROM test.hits
---->
SELECT RegionID, uniqHLL12(WatchID) AS X FROM remote('127.0.0.{1,2}', test, hits) GROUP BY RegionID HAVING X > 100000 ORDER BY RegionID ASC
---->
SELECT RegionID, uniqCombined(WatchID) AS X FROM remote('127.0.0.{1,2}', test, hits) GROUP BY RegionID HAVING X > 100000 ORDER BY RegionID ASC
---->
SELECT abs(uniq(WatchID) - uniqExact(WatchID)) FROM test.hits
---->
-- Tags: global

SELECT sum(UserID GLOBAL IN (SELECT UserID FROM remote('127.0.0.{1,2}', test.hits))) FROM remote('127.0.0.{1,2}', test.hits)
---->
SELECT sum(UserID GLOBAL IN (SELECT UserID FROM test.hits)) FROM remote('127.0.0.{1,2}', test.hits)
---->
SET max_rows_to_read = 60000
---->
SELECT count() FROM test.hits WHERE -CounterID = -1731
---->
SELECT count() FROM test.hits WHERE abs(-CounterID) = 1731
---->
SELECT count() FROM test.hits WHERE -abs(CounterID) = -1731
---->
SELECT count() FROM test.hits WHERE toUInt32(CounterID) = 1731
---->
SELECT count() FROM test.hits WHERE toInt32(CounterID) = 1731
---->
SELECT count() FROM test.hits WHERE toFloat32(CounterID) = 1731
---->
SET max_rows_to_read = 0
---->
SELECT count() FROM test.hits WHERE toInt16(CounterID) = 1731
---->
SELECT count() FROM test.hits WHERE toInt8(CounterID) = toInt8(1731)
---->
SELECT count() FROM test.hits WHERE toDate(toUInt16(CounterID)) = toDate(1731)
---->
SELECT uniq(CounterID), uniqUpTo(5)(toInt8(CounterID)), count() FROM test.hits WHERE toInt8(CounterID + 1 - 1) = toInt8(1731)
---->
SELECT uniq(CounterID), uniqUpTo(5)(toInt8(CounterID)), count() FROM test.hits WHERE toInt8(CounterID) = toInt8(1731)
---->
SELECT uniq(CounterID), uniqUpTo(5)(toInt16(CounterID)), count() FROM test.hits WHERE toInt16(CounterID + 1 - 1) = 1731
---->
SELECT uniq(CounterID), uniqUpTo(5)(toInt16(CounterID)), count() FROM test.hits WHERE toInt16(CounterID) = 1731
---->
SET max_rows_to_read = 500000
---->
SELECT uniq(CounterID), count() FROM test.hits WHERE toString(CounterID) = '1731'
---->
SET max_rows_to_read = 2200000
---->
SELECT count() FROM test.hits WHERE CounterID < 732797
---->
SELECT count() FROM test.hits WHERE CounterID <= 732797
---->
SELECT count() FROM test.hits WHERE CounterID < 732797 AND CounterID > 107931
---->
SELECT count() FROM test.hits WHERE CounterID < 732797 AND CounterID >= 107931
---->
SELECT count() FROM test.hits WHERE CounterID <= 732797 AND CounterID > 107931
---->
SELECT count() FROM test.hits WHERE CounterID <= 732797 AND CounterID >= 107931
---->
SELECT count() FROM test.hits WHERE -CounterID > -732797
---->
SELECT count() FROM test.hits WHERE -CounterID >= -732797
---->
SELECT count() FROM test.hits WHERE -CounterID > -732797 AND CounterID > 107931
---->
SELECT count() FROM test.hits WHERE -CounterID > -732797 AND CounterID >= 107931
---->
SELECT count() FROM test.hits WHERE -CounterID >= -732797 AND CounterID > 107931
---->
SELECT count() FROM test.hits WHERE -CounterID >= -732797 AND CounterID >= 107931
---->
SELECT count() FROM test.hits WHERE CounterID < 732797 AND -CounterID < -107931
---->
SELECT count() FROM test.hits WHERE CounterID < 732797 AND -CounterID <= -107931
---->
SELECT count() FROM test.hits WHERE CounterID <= 732797 AND -CounterID < -107931
---->
SELECT count() FROM test.hits WHERE CounterID <= 732797 AND -CounterID <= -107931
---->
SELECT count() FROM test.hits WHERE EventDate = '2014-03-20'
---->
SELECT count() FROM test.hits WHERE toDayOfMonth(EventDate) = 20
---->
SELECT count() FROM test.hits WHERE toDayOfWeek(EventDate) = 4
---->
SELECT count() FROM test.hits WHERE toUInt16(EventDate) = toUInt16(toDate('2014-03-20'))
---->
SELECT count() FROM test.hits WHERE toInt64(EventDate) = toInt64(toDate('2014-03-20'))
---->
SELECT count() FROM test.hits WHERE toDateTime(EventDate) = '2014-03-20 00:00:00'
---->
SET max_rows_to_read = 50000
---->
SELECT count() FROM test.hits WHERE toMonth(EventDate) != 3
---->
SELECT count() FROM test.hits WHERE toYear(EventDate) != 2014
---->
SELECT count() FROM test.hits WHERE toDayOfMonth(EventDate) > 23 OR toDayOfMonth(EventDate) < 17
---->
-- Tags: distributed

SELECT sum(cityHash64(*)) FROM (SELECT CounterID, quantileTiming(0.5)(SendTiming), count() FROM remote('127.0.0.{1,2,3,4,5,6,7,8,9,10}', test.hits) WHERE SendTiming != -1 GROUP BY CounterID)
---->
SELECT sum(cityHash64(*)) FROM (SELECT CounterID, quantileTiming(0.5)(SendTiming), count() FROM remote('127.0.0.{1,2,3,4,5,6,7,8,9,10}', test.hits) WHERE SendTiming != -1 GROUP BY CounterID) SETTINGS optimize_aggregation_in_order = 1
---->
SELECT CounterID, quantileTiming(0.5)(SendTiming) AS qt, least(30000, quantileExact(0.5)(SendTiming)) AS qe, count() AS c, round(abs(qt - qe) / greatest(qt, qe) AS diff, 3) AS rounded_diff FROM test.hits WHERE SendTiming != -1 GROUP BY CounterID HAVING diff != 0 ORDER BY diff DESC
---->
SELECT CounterID, quantileTiming(0.5)(SendTiming) AS qt, least(30000, quantileExact(0.5)(SendTiming)) AS qe, count() AS c, round(abs(qt - qe) / greatest(qt, qe) AS diff, 3) AS rounded_diff FROM test.hits WHERE SendTiming != -1 GROUP BY CounterID HAVING diff != 0 ORDER BY diff DESC SETTINGS optimize_aggregation_in_order = 1
---->
SET optimize_read_in_order = 1
---->
SELECT CounterID FROM test.hits ORDER BY CounterID DESC LIMIT 50
---->
SELECT CounterID FROM test.hits ORDER BY CounterID LIMIT 50
---->
SELECT CounterID FROM test.hits ORDER BY CounterID, EventDate LIMIT 50
---->
SELECT EventDate FROM test.hits ORDER BY CounterID, EventDate LIMIT 50
---->
SELECT EventDate FROM test.hits ORDER BY CounterID, EventDate DESC LIMIT 50
---->
SELECT CounterID FROM test.hits ORDER BY CounterID, EventDate DESC LIMIT 50
---->
SELECT CounterID FROM test.hits ORDER BY CounterID DESC, EventDate DESC LIMIT 50
---->
SELECT EventDate FROM test.hits ORDER BY CounterID DESC, EventDate DESC LIMIT 50
---->
SELECT CounterID, EventDate FROM test.hits ORDER BY CounterID, EventDate LIMIT 50
---->
SELECT CounterID, EventDate FROM test.hits ORDER BY CounterID, EventDate DESC LIMIT 50
---->
SELECT CounterID, EventDate FROM test.hits ORDER BY CounterID DESC, EventDate LIMIT 50
---->
SELECT CounterID, EventDate FROM test.hits ORDER BY CounterID DESC, EventDate DESC LIMIT 50
---->
-- Tags: no-tsan, no-replicated-database, no-parallel
-- Tag no-replicated-database: Fails due to additional replicas or shards

DROP TABLE IF EXISTS fixed_granularity_table
---->
-- looks like default table before update

ALTER TABLE fixed_granularity_table REPLACE PARTITION 201403 FROM test.hits
---->
INSERT INTO fixed_granularity_table SELECT * FROM test.hits LIMIT 10
---->
-- should still have non adaptive granularity

INSERT INTO fixed_granularity_table SELECT * FROM test.hits LIMIT 10
---->
-- We have removed testing of OPTIMIZE because it's too heavy on very slow builds (debug + coverage + thread fuzzer with sleeps)
-- OPTIMIZE TABLE fixed_granularity_table FINAL; -- and even after optimize

DETACH TABLE fixed_granularity_table
---->
ATTACH TABLE fixed_granularity_table
---->
ALTER TABLE fixed_granularity_table DETACH PARTITION 201403
---->
ALTER TABLE fixed_granularity_table ATTACH PARTITION 201403
---->
SELECT count() from fixed_granularity_table
---->
DROP TABLE IF EXISTS fixed_granularity_table
---->
ALTER TABLE test.hits DETACH PARTITION 201403
---->
ALTER TABLE test.hits ATTACH PARTITION 201403
---->
DROP TABLE IF EXISTS hits_copy
---->
ALTER TABLE hits_copy REPLACE PARTITION 201403 FROM test.hits
---->
-- It's important to test table, which were created before server update
INSERT INTO test.hits SELECT * FROM hits_copy LIMIT 100
---->
-- OPTIMIZE TABLE test.hits;

SELECT count() FROM test.hits
---->
-- restore hits
ALTER TABLE test.hits REPLACE PARTITION 201403 FROM hits_copy
---->
-- Tags: race

create temporary table dest00153 (`s` AggregateFunction(groupUniqArray, String)) engine Memory
---->
insert into dest00153 select groupUniqArrayState(RefererDomain) from test.hits group by URLDomain
---->
-- Tags: no-fasttest

DROP TABLE IF EXISTS test.avro
---->
SET max_threads = 1, max_insert_threads = 0, max_block_size = 8192, min_insert_block_size_rows = 8192, min_insert_block_size_bytes = 1048576
---->
-- lower memory usage

CREATE TABLE test.avro AS test.hits ENGINE = File(Avro)
---->
INSERT INTO test.avro SELECT * FROM test.hits LIMIT 10000
---->
SELECT sum(cityHash64(*)) FROM (SELECT * FROM test.hits LIMIT 10000)
---->
SELECT sum(cityHash64(*)) FROM test.avro
---->
DROP TABLE test.avro
---->
SET max_execution_speed = 4000000, timeout_before_checking_execution_speed = 0
---->
CREATE TEMPORARY TABLE times (t DateTime)
---->
INSERT INTO times SELECT now()
---->
SELECT count() FROM test.hits SAMPLE 1 / 2
---->
SELECT max(t) - min(t) >= 1 FROM times
---->
TRUNCATE TABLE times
---->
SELECT count() FROM merge(test, '^hits$') SAMPLE 1 / 2
---->
-- Tags: no-tsan, no-parallel

DROP TABLE IF EXISTS test.hits_1m
---->
CREATE TABLE test.hits_1m as test.hits
---->
INSERT INTO test.hits_1m SELECT * FROM test.hits LIMIT 1000000
---->
CREATE DATABASE IF NOT EXISTS db_dict
---->
--DROP DICTIONARY IF EXISTS db_dict.cache_hits;

/*
CREATE DICTIONARY db_dict.cache_hits
(WatchID UInt64, UserID UInt64, SearchPhrase String)
PRIMARY KEY WatchID
SOURCE(CLICKHOUSE(HOST 'localhost' PORT tcpPort() USER 'default' TABLE 'hits_1m' PASSWORD '' DB 'test'))
LIFETIME(MIN 1 MAX 10)
LAYOUT(CACHE(SIZE_IN_CELLS 1 QUERY_WAIT_TIMEOUT_MILLISECONDS 60000));
 */

SELECT count() FROM (SELECT WatchID, arrayDistinct(groupArray(dictGetUInt64( 'db_dict.cache_hits', 'UserID', toUInt64(WatchID)))) as arr
FROM test.hits_1m PREWHERE WatchID % 5 == 0 GROUP BY  WatchID order by length(arr) desc) WHERE arr = [0]
---->
SELECT count() FROM (SELECT WatchID, arrayDistinct(groupArray(dictGetUInt64( 'db_dict.cache_hits', 'UserID', toUInt64(WatchID)))) as arr
FROM test.hits_1m PREWHERE WatchID % 7 == 0 GROUP BY  WatchID order by length(arr) desc) WHERE arr = [0]
---->
SELECT count() FROM (SELECT WatchID, arrayDistinct(groupArray(dictGetUInt64( 'db_dict.cache_hits', 'UserID', toUInt64(WatchID)))) as arr
FROM test.hits_1m PREWHERE WatchID % 13 == 0 GROUP BY  WatchID order by length(arr) desc) WHERE arr = [0]
---->
DROP DICTIONARY IF EXISTS db_dict.cache_hits
---->
DROP DATABASE IF  EXISTS db_dict
---->
DROP TABLE IF EXISTS hits_1m
---->
-- Tags: no-parallel

CREATE DATABASE IF NOT EXISTS db_dict
---->
/*
CREATE DICTIONARY db_dict.cache_hits
(WatchID UInt64, UserID UInt64, SearchPhrase String)
PRIMARY KEY WatchID
SOURCE(CLICKHOUSE(HOST 'localhost' PORT tcpPort() USER 'default' TABLE 'hits' PASSWORD '' DB 'test'))
LIFETIME(MIN 300 MAX 600)
LAYOUT(CACHE(SIZE_IN_CELLS 100 QUERY_WAIT_TIMEOUT_MILLISECONDS 600000));
*/

SELECT sum(flag) FROM (SELECT dictHas('db_dict.cache_hits', toUInt64(WatchID)) as flag FROM test.hits PREWHERE WatchID % 1400 == 0 LIMIT 100)
---->
SELECT count() from test.hits PREWHERE WatchID % 1400 == 0
---->
SELECT sum(flag) FROM (SELECT dictHas('db_dict.cache_hits', toUInt64(WatchID)) as flag FROM test.hits PREWHERE WatchID % 350 == 0 LIMIT 100)
---->
SELECT count() from test.hits PREWHERE WatchID % 350 == 0
---->
SELECT sum(flag) FROM (SELECT dictHas('db_dict.cache_hits', toUInt64(WatchID)) as flag FROM test.hits PREWHERE WatchID % 5 == 0 LIMIT 100)
---->
SELECT count() from test.hits PREWHERE WatchID % 5 == 0
---->
SELECT sum(DISTINCT sipHash64(decodeXMLComponent(Title) AS decoded)) FROM test.hits WHERE Title != decoded
---->
DROP TABLE IF EXISTS hits_none
---->
CREATE TABLE hits_none (Title String CODEC(NONE)) ENGINE = MergeTree ORDER BY tuple()
---->
INSERT INTO hits_none SELECT Title FROM test.hits
---->
SET min_bytes_to_use_mmap_io = 1
---->
SELECT sum(length(Title)) FROM hits_none
---->
DROP TABLE hits_none
---->
SELECT CounterID AS k, quantileBFloat16(0.5)(ResolutionWidth) FROM test.hits GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantilesBFloat16(0.1, 0.5, 0.9, 0.99, 0.999)(ResolutionWidth) FROM test.hits GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantileBFloat16(0.5)(ResolutionWidth) FROM remote('127.0.0.{1,2}', test.hits) GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SELECT CounterID AS k, quantilesBFloat16(0.1, 0.5, 0.9, 0.99, 0.999)(ResolutionWidth) FROM remote('127.0.0.{1,2}', test.hits) GROUP BY k ORDER BY count() DESC, CounterID LIMIT 10
---->
SET compile_aggregate_expressions = 1
---->
SET min_count_to_compile_aggregate_expression = 0
---->
SELECT 'Aggregation using JIT compilation'
---->
SELECT 'Simple functions'
---->
SELECT
    CounterID,
    min(WatchID),
    max(WatchID),
    sum(WatchID),
    avg(WatchID),
    avgWeighted(WatchID, CounterID),
    count(WatchID),
    groupBitOr(WatchID),
    groupBitAnd(WatchID),
    groupBitXor(WatchID)
FROM test.hits
GROUP BY CounterID ORDER BY count() DESC LIMIT 20
---->
SELECT 'Simple functions with non compilable function'
---->
SELECT
    CounterID,
    min(WatchID),
    max(WatchID),
    sum(WatchID),
    sum(toUInt128(WatchID)),
    avg(WatchID),
    avgWeighted(WatchID, CounterID),
    count(WatchID),
    groupBitOr(WatchID),
    groupBitAnd(WatchID),
    groupBitXor(WatchID)
FROM test.hits
GROUP BY CounterID ORDER BY count() DESC LIMIT 20
---->
SELECT 'Simple functions if combinator'
---->
WITH (WatchID % 2 == 0) AS predicate
SELECT
    CounterID,
    minIf(WatchID,predicate),
    maxIf(WatchID, predicate),
    sumIf(WatchID, predicate),
    avgIf(WatchID, predicate),
    avgWeightedIf(WatchID, CounterID, predicate),
    countIf(WatchID, predicate),
    groupBitOrIf(WatchID, predicate),
    groupBitAndIf(WatchID, predicate),
    groupBitXorIf(WatchID, predicate)
FROM test.hits
GROUP BY CounterID ORDER BY count() DESC LIMIT 20
---->
SELECT 'Simple functions without key'
---->
SELECT
    min(WatchID) AS min_watch_id,
    max(WatchID),
    sum(WatchID),
    avg(WatchID),
    avgWeighted(WatchID, CounterID),
    count(WatchID),
    groupBitOr(WatchID),
    groupBitAnd(WatchID),
    groupBitXor(WatchID)
FROM test.hits
ORDER BY min_watch_id DESC LIMIT 20
---->
SELECT 'Simple functions with non compilable function without key'
---->
SELECT
    min(WatchID) AS min_watch_id,
    max(WatchID),
    sum(WatchID),
    sum(toUInt128(WatchID)),
    avg(WatchID),
    avgWeighted(WatchID, CounterID),
    count(WatchID),
    groupBitOr(WatchID),
    groupBitAnd(WatchID),
    groupBitXor(WatchID)
FROM test.hits
ORDER BY min_watch_id DESC LIMIT 20
---->
SELECT 'Simple functions if combinator without key'
---->
WITH (WatchID % 2 == 0) AS predicate
SELECT
    minIf(WatchID, predicate) as min_watch_id,
    maxIf(WatchID, predicate),
    sumIf(WatchID, predicate),
    avgIf(WatchID, predicate),
    avgWeightedIf(WatchID, CounterID, predicate),
    countIf(WatchID, predicate),
    groupBitOrIf(WatchID, predicate),
    groupBitAndIf(WatchID, predicate),
    groupBitXorIf(WatchID, predicate)
FROM test.hits
ORDER BY min_watch_id
DESC LIMIT 20
---->
SET compile_aggregate_expressions = 0
---->
SELECT 'Aggregation without JIT compilation'
---->
-- Tags: no-replicated-database
-- Tag no-replicated-database: Requires investigation

EXPLAIN ESTIMATE SELECT count() FROM test.hits WHERE CounterID = 29103473
---->
EXPLAIN ESTIMATE SELECT count() FROM test.hits WHERE CounterID != 29103473
---->
EXPLAIN ESTIMATE SELECT count() FROM test.hits WHERE CounterID > 29103473
---->
EXPLAIN ESTIMATE SELECT count() FROM test.hits WHERE CounterID < 29103473
---->
EXPLAIN ESTIMATE SELECT count() FROM test.hits WHERE CounterID = 29103473 UNION ALL SELECT count() FROM test.hits WHERE CounterID = 1704509
---->
-- Tags: no-random-settings

SELECT sum(cityHash64(*)) FROM test.hits SETTINGS max_threads=40
---->
-- We had a bug which lead to additional compressed data read. test.hits compressed size is about 1.2Gb, but we read more then 3Gb.
-- Small additional reads still possible, so we compare with about 1.5Gb.
SYSTEM FLUSH LOGS
---->
SELECT ProfileEvents['ReadBufferFromFileDescriptorReadBytes'] < 1500000000 from system.query_log where query = 'SELECT sum(cityHash64(*)) FROM test.hits SETTINGS max_threads=40;' and current_database = currentDatabase() and type = 'QueryFinish'
---->
WITH URLDomain AS a, URLDomain AS b
SELECT round(cramersV(a, b), 2), round(cramersVBiasCorrected(a, b), 2), round(theilsU(a, b), 2), round(theilsU(b, a), 2), round(contingency(a, b), 2) FROM test.hits
---->
WITH URLDomain AS a, RefererDomain AS b
SELECT round(cramersV(a, b), 2), round(cramersVBiasCorrected(a, b), 2), round(theilsU(a, b), 2), round(theilsU(b, a), 2), round(contingency(a, b), 2) FROM test.hits
---->
WITH URLDomain AS a, CounterID AS b
SELECT round(cramersV(a, b), 2), round(cramersVBiasCorrected(a, b), 2), round(theilsU(a, b), 2), round(theilsU(b, a), 2), round(contingency(a, b), 2) FROM test.hits
---->
WITH ClientIP AS a, RemoteIP AS b
SELECT round(cramersV(a, b), 2), round(cramersVBiasCorrected(a, b), 2), round(theilsU(a, b), 2), round(theilsU(b, a), 2), round(contingency(a, b), 2) FROM test.hits
---->
WITH ResolutionWidth AS a, ResolutionHeight AS b
SELECT round(cramersV(a, b), 2), round(cramersVBiasCorrected(a, b), 2), round(theilsU(a, b), 2), round(theilsU(b, a), 2), round(contingency(a, b), 2) FROM test.hits
---->
-- Tags: no-parallel, no-random-settings

-- { echo }

SET allow_prefetched_read_pool_for_remote_filesystem=0
---->
SET enable_filesystem_cache_on_write_operations=0
---->
SET max_memory_usage='20G'
---->
SYSTEM DROP FILESYSTEM CACHE
---->
SELECT count() FROM test.hits_s3
---->
SELECT count() FROM test.hits_s3 WHERE AdvEngineID != 0
---->
SELECT sum(AdvEngineID), count(), avg(ResolutionWidth) FROM test.hits_s3
---->
SELECT sum(UserID) FROM test.hits_s3
---->
SELECT uniq(UserID) FROM test.hits_s3
---->
SELECT uniq(SearchPhrase) FROM test.hits_s3
---->
SELECT min(EventDate), max(EventDate) FROM test.hits_s3
---->
SELECT AdvEngineID, count() FROM test.hits_s3 WHERE AdvEngineID != 0 GROUP BY AdvEngineID ORDER BY AdvEngineID DESC
---->
SELECT RegionID, uniq(UserID) AS u FROM test.hits_s3 GROUP BY RegionID ORDER BY u DESC LIMIT 10
---->
SELECT RegionID, sum(AdvEngineID), count() AS c, avg(ResolutionWidth), uniq(UserID) FROM test.hits_s3 GROUP BY RegionID ORDER BY c DESC LIMIT 10
---->
SELECT MobilePhoneModel, uniq(UserID) AS u FROM test.hits_s3 WHERE MobilePhoneModel != '' GROUP BY MobilePhoneModel ORDER BY u DESC LIMIT 10
---->
SELECT MobilePhone, MobilePhoneModel, uniq(UserID) AS u FROM test.hits_s3 WHERE MobilePhoneModel != '' GROUP BY MobilePhone, MobilePhoneModel ORDER BY u DESC LIMIT 10
---->
SELECT uniq(SearchPhrase), count() AS c FROM test.hits_s3 WHERE SearchPhrase != '' GROUP BY SearchPhrase ORDER BY c DESC LIMIT 10
---->
SELECT uniq(SearchPhrase), uniq(UserID) AS u FROM test.hits_s3 WHERE SearchPhrase != '' GROUP BY SearchPhrase ORDER BY u DESC LIMIT 10
---->
SELECT SearchEngineID, uniq(SearchPhrase), count() AS c FROM test.hits_s3 WHERE SearchPhrase != '' GROUP BY SearchEngineID, SearchPhrase ORDER BY c DESC LIMIT 10
---->
SELECT UserID, count() FROM test.hits_s3 GROUP BY UserID ORDER BY count() DESC LIMIT 10
---->
SELECT UserID, uniq(SearchPhrase) as m, count() as c FROM test.hits_s3 GROUP BY UserID, SearchPhrase ORDER BY UserID, m, c DESC LIMIT 10
---->
SELECT UserID, uniq(SearchPhrase) as m, count() as c FROM test.hits_s3 GROUP BY UserID, SearchPhrase ORDER BY UserID, m, c LIMIT 10
---->
SELECT UserID, toMinute(EventTime) AS m, uniq(SearchPhrase) as u, count() as c FROM test.hits_s3 GROUP BY UserID, m, SearchPhrase ORDER BY UserID DESC LIMIT 10 FORMAT Null
---->
SELECT UserID FROM test.hits_s3 WHERE UserID = 12345678901234567890
---->
SELECT count() FROM test.hits_s3 WHERE URL LIKE '%metrika%'
---->
SELECT uniq(SearchPhrase) as u, max(URL) as m, count() AS c FROM test.hits_s3 WHERE URL LIKE '%metrika%' AND SearchPhrase != '' GROUP BY SearchPhrase ORDER BY u, m, c DESC LIMIT 10
---->
SELECT uniq(SearchPhrase), max(URL), max(Title), count() AS c, uniq(UserID) FROM test.hits_s3 WHERE Title LIKE '%Яндекс%' AND URL NOT LIKE '%.yandex.%' AND SearchPhrase != '' GROUP BY SearchPhrase ORDER BY c DESC LIMIT 10
---->
SELECT * FROM test.hits_s3 WHERE URL LIKE '%metrika%' ORDER BY EventTime LIMIT 10 format Null
---->
SELECT SearchPhrase FROM test.hits_s3 WHERE SearchPhrase != '' ORDER BY EventTime LIMIT 10 FORMAT Null
---->
SELECT SearchPhrase FROM test.hits_s3 WHERE SearchPhrase != '' ORDER BY SearchPhrase LIMIT 10 FORMAT Null
---->
SELECT SearchPhrase FROM test.hits_s3 WHERE SearchPhrase != '' ORDER BY EventTime, SearchPhrase LIMIT 10 FORMAT Null
---->
SELECT CounterID, avg(length(URL)) AS l, count() AS c FROM test.hits_s3 WHERE URL != '' GROUP BY CounterID HAVING c > 100000 ORDER BY l DESC LIMIT 25
---->
SELECT domainWithoutWWW(Referer) AS key, avg(length(Referer)) AS l, count() AS c, max(Referer) FROM test.hits_s3 WHERE Referer != '' GROUP BY key HAVING c > 100000 ORDER BY l DESC LIMIT 25
---->
SELECT sum(ResolutionWidth), sum(ResolutionWidth + 1), sum(ResolutionWidth + 2), sum(ResolutionWidth + 3), sum(ResolutionWidth + 4), sum(ResolutionWidth + 5), sum(ResolutionWidth + 6), sum(ResolutionWidth + 7), sum(ResolutionWidth + 8), sum(ResolutionWidth + 9), sum(ResolutionWidth + 10), sum(ResolutionWidth + 11), sum(ResolutionWidth + 12), sum(ResolutionWidth + 13), sum(ResolutionWidth + 14), sum(ResolutionWidth + 15), sum(ResolutionWidth + 16), sum(ResolutionWidth + 17), sum(ResolutionWidth + 18), sum(ResolutionWidth + 19), sum(ResolutionWidth + 20), sum(ResolutionWidth + 21), sum(ResolutionWidth + 22), sum(ResolutionWidth + 23), sum(ResolutionWidth + 24), sum(ResolutionWidth + 25), sum(ResolutionWidth + 26), sum(ResolutionWidth + 27), sum(ResolutionWidth + 28), sum(ResolutionWidth + 29), sum(ResolutionWidth + 30), sum(ResolutionWidth + 31), sum(ResolutionWidth + 32), sum(ResolutionWidth + 33), sum(ResolutionWidth + 34), sum(ResolutionWidth + 35), sum(ResolutionWidth + 36), sum(ResolutionWidth + 37), sum(ResolutionWidth + 38), sum(ResolutionWidth + 39), sum(ResolutionWidth + 40), sum(ResolutionWidth + 41), sum(ResolutionWidth + 42), sum(ResolutionWidth + 43), sum(ResolutionWidth + 44), sum(ResolutionWidth + 45), sum(ResolutionWidth + 46), sum(ResolutionWidth + 47), sum(ResolutionWidth + 48), sum(ResolutionWidth + 49), sum(ResolutionWidth + 50), sum(ResolutionWidth + 51), sum(ResolutionWidth + 52), sum(ResolutionWidth + 53), sum(ResolutionWidth + 54), sum(ResolutionWidth + 55), sum(ResolutionWidth + 56), sum(ResolutionWidth + 57), sum(ResolutionWidth + 58), sum(ResolutionWidth + 59), sum(ResolutionWidth + 60), sum(ResolutionWidth + 61), sum(ResolutionWidth + 62), sum(ResolutionWidth + 63), sum(ResolutionWidth + 64), sum(ResolutionWidth + 65), sum(ResolutionWidth + 66), sum(ResolutionWidth + 67), sum(ResolutionWidth + 68), sum(ResolutionWidth + 69), sum(ResolutionWidth + 70), sum(ResolutionWidth + 71), sum(ResolutionWidth + 72), sum(ResolutionWidth + 73), sum(ResolutionWidth + 74), sum(ResolutionWidth + 75), sum(ResolutionWidth + 76), sum(ResolutionWidth + 77), sum(ResolutionWidth + 78), sum(ResolutionWidth + 79), sum(ResolutionWidth + 80), sum(ResolutionWidth + 81), sum(ResolutionWidth + 82), sum(ResolutionWidth + 83), sum(ResolutionWidth + 84), sum(ResolutionWidth + 85), sum(ResolutionWidth + 86), sum(ResolutionWidth + 87), sum(ResolutionWidth + 88), sum(ResolutionWidth + 89) FROM test.hits_s3
---->
SELECT SearchEngineID, ClientIP, count() AS c, sum(Refresh), avg(ResolutionWidth) FROM test.hits_s3 WHERE SearchPhrase != '' GROUP BY SearchEngineID, ClientIP ORDER BY c DESC LIMIT 10
---->
SELECT WatchID, ClientIP, count() AS c, sum(Refresh), avg(ResolutionWidth) FROM test.hits_s3 WHERE SearchPhrase != '' GROUP BY WatchID, ClientIP ORDER BY c, WatchID DESC LIMIT 10
---->
SELECT WatchID, ClientIP, count() AS c, sum(Refresh), avg(ResolutionWidth) FROM test.hits_s3 GROUP BY WatchID, ClientIP ORDER BY c, WatchID DESC LIMIT 10
---->
SELECT URL, count() AS c FROM test.hits_s3 GROUP BY URL ORDER BY c DESC LIMIT 10
---->
SELECT 1, URL, count() AS c FROM test.hits_s3 GROUP BY 1, URL ORDER BY c DESC LIMIT 10
---->
SELECT ClientIP AS x, x - 1, x - 2, x - 3, count() AS c FROM test.hits_s3 GROUP BY x, x - 1, x - 2, x - 3 ORDER BY c DESC LIMIT 10
---->
SELECT URL, count() AS PageViews FROM test.hits_s3 WHERE CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-31' AND NOT DontCountHits AND NOT Refresh AND notEmpty(URL) GROUP BY URL ORDER BY PageViews DESC LIMIT 10
---->
SELECT Title, count() AS PageViews FROM test.hits_s3 WHERE CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-31' AND NOT DontCountHits AND NOT Refresh AND notEmpty(Title) GROUP BY Title ORDER BY PageViews, Title DESC LIMIT 10
---->
SELECT URL, count() AS PageViews FROM test.hits_s3 WHERE CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-31' AND NOT Refresh AND IsLink AND NOT IsDownload GROUP BY URL ORDER BY PageViews DESC LIMIT 1000
---->
SELECT TraficSourceID, SearchEngineID, AdvEngineID, ((SearchEngineID = 0 AND AdvEngineID = 0) ? Referer : '') AS Src, URL AS Dst, count() AS PageViews FROM test.hits_s3 WHERE CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-31' AND NOT Refresh GROUP BY TraficSourceID, SearchEngineID, AdvEngineID, Src, Dst ORDER BY PageViews, TraficSourceID DESC LIMIT 1000
---->
SELECT URLHash, EventDate, count() AS PageViews FROM test.hits_s3 WHERE CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-31' AND NOT Refresh AND TraficSourceID IN (-1, 6) AND RefererHash = halfMD5('http://example.ru/') GROUP BY URLHash, EventDate ORDER BY PageViews DESC LIMIT 100
---->
SELECT WindowClientWidth, WindowClientHeight, count() AS PageViews FROM test.hits_s3 WHERE CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-31' AND NOT Refresh AND NOT DontCountHits AND URLHash = halfMD5('http://example.ru/') GROUP BY WindowClientWidth, WindowClientHeight ORDER BY PageViews DESC LIMIT 10000
---->
SELECT toStartOfMinute(EventTime) AS Minute, count() AS PageViews FROM test.hits_s3 WHERE CounterID = 62 AND EventDate >= '2013-07-01' AND EventDate <= '2013-07-02' AND NOT Refresh AND NOT DontCountHits GROUP BY Minute ORDER BY Minute
---->
-- Tags: distributed

SELECT sum(cityHash64(*)) FROM (SELECT CounterID, quantileTiming(0.5)(SendTiming), count() FROM remote('127.0.0.{1,2,3,4,5,6,7,8,9,10}', test.hits) WHERE SendTiming != -1 GROUP BY CounterID) SETTINGS max_block_size = 63169
---->
SELECT sum(cityHash64(*)) FROM (SELECT CounterID, quantileTiming(0.5)(SendTiming), count() FROM remote('127.0.0.{1,2,3,4,5,6,7,8,9,10}', test.hits) WHERE SendTiming != -1 GROUP BY CounterID) SETTINGS optimize_aggregation_in_order = 1, max_block_size = 63169
---->
-- Tags: no-parallel-replicas

set max_threads=10
---->
EXPLAIN PIPELINE SELECT count(JavaEnable) FROM test.hits WHERE WatchID = 1 OR Title = 'next' OR URL = 'prev' OR URL = '???' OR 1
---->
SELECT
    CounterID AS k,
    quantileBFloat16(0.5)(ResolutionWidth)
FROM remote('127.0.0.{1,2}', test, hits)
GROUP BY k
ORDER BY
    count() DESC,
    CounterID ASC
LIMIT 10
SETTINGS group_by_use_nulls = 1
---->
SELECT
    CounterID AS k,
    quantileBFloat16(0.5)(ResolutionWidth)
FROM test.hits
GROUP BY k
ORDER BY
    count() DESC,
    CounterID ASC
LIMIT 10
SETTINGS group_by_use_nulls = 1 FORMAT Null
---->
-- { echoOn }
set allow_experimental_analyzer = 1
---->
select '-- check that distinct with and w/o optimization produce the same result'
---->
drop table if exists distinct_in_order sync
---->
drop table if exists ordinary_distinct sync
---->
select '-- DISTINCT columns are the same as in ORDER BY'
---->
create table distinct_in_order (CounterID UInt32, EventDate Date) engine=MergeTree() order by (CounterID, EventDate)
---->
insert into distinct_in_order select distinct CounterID, EventDate from test.hits order by CounterID, EventDate settings optimize_distinct_in_order=1
---->
create table ordinary_distinct (CounterID UInt32, EventDate Date) engine=MergeTree() order by (CounterID, EventDate)
---->
insert into ordinary_distinct select distinct CounterID, EventDate from test.hits order by CounterID, EventDate settings optimize_distinct_in_order=0
---->
select distinct * from distinct_in_order except select * from ordinary_distinct
---->
select '-- DISTINCT columns has prefix in ORDER BY columns'
---->
insert into distinct_in_order select distinct CounterID, EventDate from test.hits order by CounterID settings optimize_distinct_in_order=1
---->
insert into ordinary_distinct select distinct CounterID, EventDate from test.hits order by CounterID settings optimize_distinct_in_order=0
---->
-- the work for scalar subquery is properly accounted:
SET max_rows_to_read = 1000000
---->
SELECT 1 = (SELECT count() FROM test.hits WHERE NOT ignore(AdvEngineID))
---->
-- { serverError 158 }

-- the work for subquery in IN is properly accounted:
SET max_rows_to_read = 1000000
---->
SELECT 1 IN (SELECT count() FROM test.hits WHERE NOT ignore(AdvEngineID))
---->
-- { serverError 158 }

-- this query reads from the table twice:
SET max_rows_to_read = 15000000
---->
SELECT count() IN (SELECT count() FROM test.hits WHERE NOT ignore(AdvEngineID)) FROM test.hits WHERE NOT ignore(AdvEngineID)
---->
-- { serverError 158 }

-- the resources are properly accounted even if the subquery is evaluated in advance to facilitate the index analysis.
-- this query is using index and filter out the second reading pass.
SET max_rows_to_read = 1000000
---->
SELECT count() FROM test.hits WHERE CounterID > (SELECT count() FROM test.hits WHERE NOT ignore(AdvEngineID))
---->
-- { serverError 158 }

-- this query is using index but have to read all the data twice.
SET max_rows_to_read = 10000000
---->
SELECT count() FROM test.hits WHERE CounterID < (SELECT count() FROM test.hits WHERE NOT ignore(AdvEngineID))
---->
SELECT count()
FROM
(
    SELECT DISTINCT
        Title,
        SearchPhrase
    FROM test.hits
    WHERE (SearchPhrase != '') AND (NOT match(Title, '[а-яА-ЯёЁ]')) AND (NOT match(SearchPhrase, '[а-яА-ЯёЁ]'))
    LIMIT 1 BY Title
    LIMIT 10
)
---->
