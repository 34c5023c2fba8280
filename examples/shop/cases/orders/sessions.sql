-- What one customer pays, another connection sees.
drop database if exists till;
create database till;
use till;
create table payments (id bigint primary key, cents bigint);
-- @session:id=1{
use till;
insert into payments values (1, 3850);
-- @session}
select id, cents from payments;
drop database till;
