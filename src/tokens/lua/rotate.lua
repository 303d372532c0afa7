-- Present the generation of a refresh token: the table of rotation, decided and in force in one step.
--
-- KEYS[1]  the user's hash; open.lua says what it holds
-- ARGV     1 session id, 16 bytes   2 now in ms, or '' for the time of this server   3 idle life in ms
--          4 grace in ms            5 presented generation                           6 retry key, 8 bytes, or ''
--          7 era                     8 time in ms after which nobody waits for the reply
-- reply    { 'rotated' | 'replayed' | 'healed', now, generation, time of rotation, idle expiry, authorization }
--          { 'reused', now, current generation, or 0 where the session was condemned before }
--          { 'expired' }, { 'unknown' }, or { 'late', now }
local PACKED = '>I4I6c8I6I6I4'
local NO_RETRY_KEY = string.rep('\0', 8)
local CONDEMNED = 0
local key, sid = KEYS[1], ARGV[1]
local idle_ttl, grace, presented = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local retry_key = ARGV[6] == '' and NO_RETRY_KEY or ARGV[6]
local current_era = tonumber(ARGV[7])

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Held up on the way: whoever asked has been told so, and may have gone on elsewhere.
if now > tonumber(ARGV[8]) then return { 'late', now } end

local found = redis.call('HMGET', key, sid, 'u')
if not found[1] then return { 'unknown' } end
local generation, at, stored_key, idle, absolute, era = struct.unpack(PACKED, found[1])

local function keep()
  redis.call('HSET', key, sid, struct.pack(PACKED, generation, at, stored_key, idle, absolute, era))
end

local function deliver(outcome)
  return { outcome, now, generation, at, idle, found[2] }
end

if generation == CONDEMNED then return { 'reused', now, CONDEMNED } end
-- Whether it still lives, and how far it has come, is for Postgres to say.
if era ~= current_era then return { 'unknown' } end
if now >= idle then
  redis.call('HDEL', key, sid)
  if redis.call('HLEN', key) == 1 then redis.call('DEL', key) end
  return { 'expired' }
end

if presented >= generation then
  local outcome = presented > generation and 'healed' or 'rotated'
  generation, at, stored_key, idle = presented + 1, now, retry_key, math.min(now + idle_ttl, absolute)
  keep()
  if redis.call('PTTL', key) < idle - now then redis.call('PEXPIRE', key, idle - now) end
  return deliver(outcome)
end

if presented == generation - 1 then
  if now - at <= grace then
    if stored_key == NO_RETRY_KEY and retry_key ~= NO_RETRY_KEY then
      stored_key = retry_key
      keep()
    end
    return deliver('replayed')
  end
  if stored_key ~= NO_RETRY_KEY and stored_key == retry_key then return deliver('replayed') end
end

local current = generation
generation = CONDEMNED
keep()
return { 'reused', now, current }
