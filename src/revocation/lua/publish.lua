-- Appends revocations to the stream that every node reads, and trims the entries that no access
-- token can outlive.
--
-- KEYS[1]  the stream
-- ARGV     1 milliseconds that an entry matters   2... revocations, as JSON
-- reply    the id of the last entry
--
-- The stream never expires as a whole: its last id keeps the next one above it, even if the clock
-- goes back.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
local id
for i = 2, #ARGV do
  id = redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%d', oldest), '*', 'revocation',
    ARGV[i])
end
return id
