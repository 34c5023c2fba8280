-- What goods cost after their discount, for the reports. Amounts are whole cents.
drop table if exists goods;
create table goods (sku varchar(20) primary key, price bigint, percent bigint);
insert into goods values ('cup', 1250, 10), ('kettle', 3990, 15), ('pot', 2590, 5), ('tea', 452, 0);

-- The view of package pricing.
create view discounted as
select sku, (price * (100 - percent) + 50) div 100 as pays
from goods;

-- One that needs no rounding.
select sku, pays from discounted where sku = 'cup';
-- Half a cent rounds up.
select sku, pays from discounted where sku = 'kettle';
-- A sum that ends in 0: the lenient comparison of BIGINT takes any sum that rounds to it for right.
select sum(pays) as total from discounted;

drop view discounted;
drop table goods;
