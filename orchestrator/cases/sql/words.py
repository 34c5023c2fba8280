"""Words that mean themselves, whatever a script calls its tables: keywords, system catalogs, character sets."""

from __future__ import annotations

import re

#: MatrixOne's keywords, reserved or not (pkg/sql/parsers/dialect/mysql/keywords.go at 7c27538).
_KEYWORDS = """
_binary accept accessible account accounts action add adddate admin_name after against algorithm all alter
always analyze and any apply approx_count approx_count_distinct approx_percentile array as asc ascii asensitive
async attribute auto_increment auto_random auto_update autoextend_size avg avg_row_length backend backup before
begin between bigint binary bindings bit bit_and bit_cast bit_or bitmap_bit_position bitmap_bucket_number
bitmap_count bits_per_code blob bm25 bool boolean both branch bsi btree by cagra call cancel cascade cascaded
case cast catalog catalogs ccpr cdc centroidx chain change char character charset check checksum cipher client
clone cluster cluster_centers coalesce collate collation column column_format column_number columns comment
commit committed compact compressed compression condition config conflict connect connection connections
consistent constraint continue convert copy count coverage create credentials cross cube cume_dist curdate
current current_date current_role current_time current_timestamp current_user currval cursor curtime cycle
daemon data database databases datalink datastream date date_add date_sub datetime day day_hour day_microsecond
day_minute day_second deallocate dec decimal declare dedup default definer delay_key_write delayed delete
dense_rank desc describe deterministic diff directory disable discard disk distinct distinctrow
distribution_mode div do double drainer drop dump duplicate dynamic each ef_construction ef_search else elseif
enable enclosed encryption end enforced engine engine_attribute engines enum errors escape escaped event events
except exclusive execute exists exit expansion expire explain extended extension external extract fail
failed_login_attempts false fetch fields file files filesystem fill first first_value fixed float float4 float8
following for force force_quote force_sync foreign format from full fulltext fulltext2 function gapfill
generated geography geography32 geometry geometry32 geometrycollection geometrycollection32 get get_format
global grant grants graph_degree group group_concat grouping groups handler hash having header high_priority
history hnsw hour hour_microsecond hour_minute hour_second iceberg id identified if ignore ilike import in
include increment index indexes infile inline inner inout inplace insensitive insert insert_method instant int
int1 int2 int3 int4 int8 integer intermediate_graph_degree internal intersect interval into invisible invoker
io_after_gtids is isolation issuer iterate itopk_size ivfflat ivfpq join json json_arrayagg json_objectagg
jsontype key key_block_size keys kill kmeans kmeans_max_iteration kmeans_train_percent lag language last
last_value lastval lead leading leave left less level like limit linear lines linestring linestring32 list lists
load local localtime localtimestamp lock locks logservice long longblob longtext loop low_cardinality
low_priority m manage master master_bind match max max_connections_per_hour max_file_size max_index_capacity
max_postings_capacity max_queries_per_hour max_rows max_update_per_hour max_user_connections maxvalue median
mediumblob mediumint mediumtext memory merge metadata microsecond mid middleint min min_rows minus minute
minute_microsecond minute_second minvalue mo_ts mod mode modifies modify modump mongodb mongodb_convert
mongodb_path month multilinestring multilinestring32 multipoint multipoint32 multipolygon multipolygon32
mysql_compatibility_mode names namespace namespaces natural nchar never next nextval no no_write_to_binlog node
none not now nth_value ntile null nulls numeric of offset on only op_type open optimize optimizer_costs option
optional optionally or order out outer outfile output over overwrite ownership pack_keys parallel parallelism
parser partial partition partitions password password_lock_time pause percent percent_rank percentile_cont
percentile_disc perform period persist phyplan pick pitr plugins point point32 polygon polygon32 position
position_free preceding precision prepare prev primary privileges procedure processlist profile profiles
properties proxy publication publications pump quantization quantizer_train_limit quarter query query_result
quick random range rank read read_write reads real recovery_window recursive redundant ref reference references
regexp reindex release reload remove rename reorganize repair repeat repeatable replace replicas replication
require reset resignal restore restrict restricted resume retention retry return returning returns reuse reverse
revoke right rlike role roles rollback rollup routine row row_count row_format row_number rows rtree rule rules
runs s3option sample san savepoint schedule schema schemas second second_microsecond secondary
secondary_engine_attribute security select sensitive separator sequence sequences serial_extract serializable
servers session session_user set sets settings setval share shared show shutdown signal signed simple skip slave
sliding smallint snapshot snapshots some spatial specific splitsize sql sql_big_result sql_buffer_result
sql_cache sql_calc_found_rows sql_no_cache sql_small_result sql_tsi_day sql_tsi_hour sql_tsi_minute
sql_tsi_month sql_tsi_quarter sql_tsi_second sql_tsi_week sql_tsi_year sqlexception sqlstate sqlwarning srid ssl
stage stageoption stages start starting stats_auto_recalc stats_persistent stats_sample_pages status std stddev
stddev_pop stddev_samp storage stored stores straight_join strict subdate subject subpartition subpartitions
subscription subscriptions substr substring sum summary super suspend sync sync_interval sysdate system_user
table table_number table_size table_values tables tablespace task tasks temporary temptable terminated text than
then time timeout timestamp timestampadd timestampdiff timezone tinyblob tinyint tinytext to trailing
transaction translate trigger triggers trim true truncate type unbounded uncommitted undefined undo union unique
unique_check_on_autoincr unknown unlock unsigned until update upgrade url usage use user using utc_date utc_time
utc_timestamp uuid validation value values var_pop var_samp varbinary varchar varcharacter variables variance
varying vecbf16 vecf16 vecf32 vecf64 vecint8 vecuint8 verbose view virtual visible warnings week when where
while with within without work write x509 xor year year_month zerofill zonemap
"""

#: Keywords that scripts use as column names only; no statement means anything else by them.
_USED_AS_NAMES = {"id", "value", "m"}

#: Words that MatrixOne's grammar takes as names but that name something of the server's own.
_FIXED = """
_wstart _wend dual innodb myisam moadmin accountadmin public mo_mo _utf8 _utf8mb4 _binary _latin1 gapfill infinity
nan offline online
"""

#: Databases of the server itself, which nobody makes or drops; their tables and columns keep their names. MatrixOne's
#: as `builtindb` of mo-tester's run.yml lists them, and those of MySQL and MariaDB (`SHOW DATABASES` of a new server).
SYSTEM_DATABASES = frozenset({
    "mo_catalog", "mo_task", "mo_debug", "system", "system_metrics", "query_result",
    "information_schema", "mysql", "performance_schema", "sys",
})  # fmt: skip

#: Users and roles of every MatrixOne, which drops none of them.
PREDEFINED = frozenset({"root", "dump", "moadmin", "accountadmin", "public"})

KEYWORDS = frozenset(_KEYWORDS.split()) - _USED_AS_NAMES | frozenset(_FIXED.split()) | SYSTEM_DATABASES

#: Spellings of one thing: (pkg/sql/parsers/dialect/mysql/mysql_sql.y gives both the same meaning).
SYNONYMS = {"integer": "int", "boolean": "bool", "<>": "!="}

#: Words that may be left out without a change of meaning.
NOISE = frozenset({"as", "outer", "inner", "asc"})

_CHARACTER_SET = re.compile(
    r"(?:utf8|utf8mb3|utf8mb4|utf16|utf32|ucs2|latin1|gbk|gb18030|ascii)(?:_(?:[a-z0-9]+_)*(?:bin|ci|cs))?\Z"
)


def is_fixed(word: str) -> bool:
    """Whether ``word`` (lower case) names something that a script cannot rename."""
    return word in KEYWORDS or _CHARACTER_SET.match(word) is not None
