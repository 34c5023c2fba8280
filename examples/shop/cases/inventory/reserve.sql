-- Pieces are taken out of the stock, and never more than there are.
create table stock (sku varchar(20) primary key, pieces int);
insert into stock values ('cup', 3), ('tea', 12);
update stock set pieces = pieces - 2 where sku = 'cup' and pieces >= 2;
update stock set pieces = pieces - 2 where sku = 'cup' and pieces >= 2;
select sku, pieces from stock order by sku;
drop table stock;
