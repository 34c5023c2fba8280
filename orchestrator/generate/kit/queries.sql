create table k1 (id int primary key, a int, b varchar(20), c decimal(10,2), d date, e double, key k1_a (a));
insert into k1 values (1, 1, 'a', 1.50, '2024-01-01', 1.5), (2, 2, 'b', null, '2024-02-29', -0.5), (3, null, '', 0.00, null, 0), (4, 2, 'B', -1.25, '1999-12-31', 1e10);
create table k2 (id int primary key, a int, f bigint unsigned, g char(10), h datetime);
insert into k2 values (1, 1, 0, 'a', '2024-01-01 00:00:00'), (2, 3, 18446744073709551615, 'b', null), (5, null, 7, null, '2024-02-29 23:59:59');
select k1.id, k2.id from k1 full outer join k2 on k1.a = k2.a order by k1.id, k2.id;
select coalesce(k1.id, k2.id), coalesce(k1.a, 0) from k1 full join k2 using (id) order by 1, 2;
select * from k1 natural full join k2 order by id;
select k1.id, g from k1 natural join k2 order by k1.id;
select k1.id, k2.g from k1 left join k2 on k1.a = k2.a and k2.f > 0 where k2.id is null order by k1.id;
select id, k1.b from k1 right join k2 using (id) order by id;
select count(*) from k1 cross join k2 where k1.a <=> k2.a;
select k1.id, k2.f from k1, k2 where k1.id = k2.id order by k1.id limit 2 offset 1;
select k1.id from k1 straight_join k2 on k1.id = k2.id order by k1.id desc;
select id from k1 where exists (select 1 from k2 where k2.a = k1.a) or not exists (select 1 from k2 where k2.id = k1.id) order by id;
select id from k1 where a in (select a from k2 where a is not null) and id not in (select id from k2 where id > 2) order by id;
select id from k1 where a > any (select a from k2) or a >= all (select a from k2 where a < 0) order by id;
select id, (select max(f) from k2 where k2.a = k1.a) m from k1 order by id;
select s.a, s.n from (select a, count(*) n from k1 group by a having count(*) > 0) s order by s.a;
select k1.id, k3.g from k1 join lateral (select g from k2 where k2.a = k1.a limit 1) k3 on true order by k1.id;
select id from k1 where (id, a) in ((1, 1), (2, 2)) and (a, b) not in ((1, 'x'), (2, 'y')) order by id;
select id from k1 where a not in (3, 4) and id between 1 and 3 and c not between 5 and 6 order by id;
select id from k1 where b like 'a\\%' escape '\\' or b like '%+%' or b not like 'z_' or b regexp '^a' or b ilike 'B' order by id;
select id from k1 where (a is null) xor (b is not null and c is not null) order by id;
select id from k1 where a = 2 union select id from k2 order by id limit 3;
select a from k1 union all select a from k2 order by a;
select a from k1 intersect select a from k2 order by a;
select a from k1 intersect all select a from k2 order by a;
select a from k1 minus select a from k2 order by a;
select a from k1 except select a from k2 order by a;
with q as (select id, a from k1 where a is not null), r as (select * from q) select q.id, r.a from q join r on q.id = r.id order by q.id;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select i from n order by i;
select a, b, sum(c), grouping(a) from k1 group by a, b with rollup order by a, b;
select a, count(distinct b), group_concat(b order by b separator '-') from k1 group by a order by a;
select distinct a, b from k1 order by a desc, b limit 3;
select a div 2, a % 2, a mod 2, a & 1, a | 4, a ^ 1, a << 1, a >> 1, ~a from k1 order by id;
select case a when 1 then 'one' else 'more' end, if(a > 1, 'y', 'n'), ifnull(a, 0), nullif(a, 1), coalesce(a, -1), iff(a = 1, b, 'x') from k1 order by id;
select date_add(d, interval 1 day), d - interval 1 month, d + interval 1 year, d + interval 1 week, d + interval 1 hour from k1 order by id;
select d + interval 1 minute, d + interval 1 second, date_sub(d, interval 1 quarter), d + interval 1 microsecond, 20240101 + interval 1 day from k1 order by id;
select a = 1 and b = 'a' or not c > 1, a <> 1, a != 2, a <=> null, true is true, false is not true from k1 order by id;
select id, row_number() over (partition by a order by id) rn, rank() over (partition by a order by id) r, dense_rank() over (partition by a order by id) dr from k1 order by id;
select id, percent_rank() over (order by a, id), cume_dist() over (order by a, id), ntile(2) over (order by a, id) from k1 order by id;
select id, lag(a) over (order by id), lead(a, 1) over (order by id), lag(a, 1, -1) over (order by id), first_value(a) over (order by id), last_value(a) over (order by id), nth_value(a, 2) over (order by id) from k1 order by id;
select id, sum(a) over (partition by b order by id rows between unbounded preceding and current row) s, avg(a) over (partition by b order by id rows between 1 preceding and 1 following) v from k1 order by id;
select id, count(*) over (order by id range between unbounded preceding and unbounded following) n, max(a) over (order by id range between current row and 1 following) m from k1 order by id;
select * from (select id, a, row_number() over (partition by a order by id desc) rn from k1) w where rn = 1 order by id;
select id from k1 where a = 2 order by id for update;
select k1.id from k1 join k2 on k1.id = k2.id where k1.a = 1 for update;
explain select k1.id from k1 join k2 on k1.a = k2.a where k1.id > 1 order by k1.id limit 1;
-- @ignore:0
explain analyze select k1.id, count(*) from k1 join k2 on k1.a = k2.a group by k1.id;
-- @ignore:0
explain verbose select * from k1 where a = 1 and b like 'a%';
-- @ignore:0
explain phyplan select id from k1 where a in (1, 2);
-- @ignore:0
explain analyze verbose select sum(c) from k1 where d between '2024-01-01' and '2024-12-31';
-- @ignore:0
explain insert into k1 (id, a) values (9, 9);
-- @ignore:0
explain update k1 set a = 3 where id = 1;
-- @ignore:0
explain delete from k1 where id = 1;
prepare s1 from 'select id, b from k1 where a = ? and id > ? order by id';
set @x = 2, @y = 0;
execute s1 using @x, @y;
deallocate prepare s1;
prepare s2 from 'insert into k1 (id, a, b) values (?, ?, ?) on duplicate key update a = values(a), b = ?';
set @i = 8, @j = null, @k = 'p';
execute s2 using @i, @j, @k, @k;
deallocate prepare s2;
create view v1 as select id, a, b from k1 where a is not null;
select v1.id, k2.g from v1 left join k2 on v1.a = k2.a order by v1.id;
show create view v1;
alter view v1 as select id, b from k1;
drop view v1;
select id, a from k1 where match(b) against('a' in natural language mode);
select sample(id, 2 rows) from k1;
select json_extract('{"a": [1, 2]}', '$.a[0]'), '{"a": 1}' -> '$.a', '{"a": "x"}' ->> '$.a', json_unquote('"a"');
select concat(b, '-', a), concat(a, b, c, d), concat_ws(',', b, a), length(b), substring(b, 1, 1), upper(b), lower(b), replace(b, 'a', 'z') from k1 order by id;
select round(c, 1), abs(c), ceil(c), floor(c), truncate(c, 1), sign(c), mod(a, 2), power(a, 2) from k1 order by id;
select greatest(a, 1, id), least(a, 1, id), greatest(null, 1), least(1, null), isnull(a), hex(b), mod(a, 2) from k1 order by id;
select min(a), max(b), sum(c), avg(c), count(*), count(a), stddev_pop(a), var_samp(a), stddev_samp(a), any_value(a), bit_or(a) from k1;
select sleep(0), ifnull(null, 1), nullif(1, 1), hex('a'), mod(5, 2), round(1.25, 1), uuid() is not null;
create table k3 (id int, parent int, tag varchar(10));
insert into k3 values (1, null, 'root'), (2, 1, 'left'), (3, 1, 'right'), (4, 2, 'leaf');
select c.id, p.tag from k3 c left join k3 p on c.parent = p.id where c.tag in ('left', 'leaf') and exists (select 1 from k3 x where x.parent = c.id) order by c.id;
with recursive t (id, depth) as (select id, 0 from k3 where parent is null union all select k3.id, t.depth + 1 from k3 join t on k3.parent = t.id) select id, depth from t order by id;
select tag, count(*), sum(id) from k3 group by tag having sum(id) > 1 order by tag limit 2;
update k3 set tag = 'moved' where id = 4;
delete from k3 where id = 4;
begin;
insert into k3 values (9, 1, 'txn');
commit;
select count(*), min(result), max(result) from generate_series(1, 10, 3) g;
select k1.id, g.result from k1 cross apply generate_series(1, k1.a) g order by 1, 2;
select k1.id, g.result from k1 outer apply generate_series(1, k1.a) g order by 1, 2;
select sum(distinct a), avg(distinct a), max(distinct a), min(distinct b), group_concat(distinct b order by b separator ',') from k1;
select current_timestamp() is not null, current_timestamp(3) > '2024-01-01', curdate() is not null, unix_timestamp('2024-02-29 00:00:00');
-- @ignore:0
explain with q as (select id from k1 where a = 2) select * from q join k2 on q.id = k2.id;
-- @ignore:0
explain phyplan verbose select id from k1 order by a limit 1;
-- @ignore:0
explain check select id from k1 where b = 'a';
prepare s3 from 'select id from k1 where a <=> ? limit ?';
drop prepare s3;
select id from k1 where a = 2 union all (select id from k2 order by id desc limit 1 offset 1);
