-- Randomness: md5 of seed, stream and key gives 64 bits per draw. DuckDB's hash() may change
-- between versions and random() depends on how rows are spread over threads; md5 depends on
-- neither, so a row's values are a function of its key alone.
create macro draw(stream, key) as md5_number_lower(getvariable('seed') || '/' || stream || '/' || key);

-- Uniform in (0, 1): a draw holds four of 16 bits (part 0 to 3), three of 21 bits or two of 32
-- bits.
create macro unit(bits, part) as (((bits >> (16 * part)::ubigint) & 65535::ubigint)::double + 0.5) / 65536;
create macro unit21(bits, part) as (((bits >> (21 * part)::ubigint) & 2097151::ubigint)::double + 0.5) / 2097152;
create macro unit32(bits, part) as (((bits >> (32 * part)::ubigint) & 4294967295::ubigint)::double + 0.5) / 4294967296;
create macro pick(uniform, n) as least(floor(uniform * n)::integer, n::integer - 1);

create macro normal(bits) as sqrt(-2 * ln(unit32(bits, 0))) * cos(2 * pi() * unit32(bits, 1));

-- Gamma with shape 6 and scale 1, as a sum of six exponentials.
create macro gamma6(bits_a, bits_b) as
    -ln(unit21(bits_a, 0)) - ln(unit21(bits_a, 1)) - ln(unit21(bits_a, 2))
    - ln(unit21(bits_b, 0)) - ln(unit21(bits_b, 1)) - ln(unit21(bits_b, 2));

create macro money(cents) as cast(cents as decimal(18, 2)) * 0.01::decimal(3, 2);
create macro iso(local_time) as strftime(local_time, '%Y-%m-%dT%H:%M:%S') || getvariable('utc_offset');
create macro at_second(day, seconds) as day::timestamp + to_seconds(floor(seconds)::bigint);
create macro month_file_on(day) as least(last_day(day), getvariable('last_day'));

-- A customer's first order and the registration just before it must agree on the time, so both take
-- it from here.
create macro order_is_online(bits) as unit(bits, 0) < 0.22;
create macro order_second(bits) as
    case
        when order_is_online(bits) then 28800 + unit(bits, 1) * 57000
        else 36000 + (unit(bits, 1) + unit(bits, 2)) * 21000
    end;
