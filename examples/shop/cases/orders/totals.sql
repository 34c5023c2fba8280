-- Orders, their lines and what they add up to.
create table orders (id bigint primary key, customer varchar(20));
create table line_items (order_id bigint, sku varchar(20), price bigint, pieces bigint);
insert into orders values (1, 'ada'), (2, 'grace'), (3, 'linus');
insert into line_items values (1, 'cup', 1250, 2), (1, 'tea', 450, 3), (2, 'kettle', 3990, 1);

-- @sortkey:0
select customer, sum(price * pieces) as total
from orders join line_items on orders.id = line_items.order_id
group by customer order by customer;
-- Who has ordered nothing?
select customer from orders left join line_items on orders.id = line_items.order_id
where line_items.sku is null;
-- An order's number is used once.
-- @regex("(?i)duplicate",true)
insert into orders values (1, 'ada');
select count(*) as orders from orders;

drop table line_items;
drop table orders;
