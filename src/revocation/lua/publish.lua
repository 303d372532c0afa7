-- Appends revocations to the stream that every node reads, and trims the entries that no access
-- token can outlive. Each entry names the one before it, so that a reader notices a gap.
--
-- KEYS[1]  the stream
-- ARGV     1 milliseconds that an entry matters   2... revocations, as JSON; if there are none, an
--          empty stream gets a first entry that says nothing
-- reply    the id of the last entry
--
-- The stream never expires as a whole: its last id keeps the next one above it, even if the clock
-- goes back. The trimming never removes the last entry, which is newer than any limit.
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local id = last and last[1] or '0-0'
for i = 2, #ARGV do
  id = redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%d', oldest), '*',
    'revocation', ARGV[i], 'after', id)
end
if id == '0-0' then
  id = redis.call('XADD', KEYS[1], '*', 'revocation', '{}', 'after', id)
end
return id
