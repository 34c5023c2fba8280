-- Prices with tax, as package pricing adds it.
create table prices (sku varchar(20) primary key, price bigint);
insert into prices values ('cup', 1250), ('kettle', 3990), ('tea', null);
-- @sortkey:0
select sku, (price * (100 + 19) + 50) div 100 as gross from prices order by sku;
select count(price) as priced from prices;
drop table prices;
