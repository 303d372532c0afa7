-- Presents the generation of a refresh token: decides by the rules of rotation (rotation.ts) and
-- puts the decision in force, in one step.
--
-- KEYS[1]  the user's hash; open.lua documents its fields
-- ARGV[1]  one packed argument, because reading many takes longer than the decision. Big-endian:
--          session id (16 bytes)
--          now in ms, or 0 for the time of this server (6)
--          idle life of a session in ms (6)
--          grace in ms (6)
--          presented generation (4)
--          retry key, or zeros (6)
--          era (4)
--          deadline, in ms since 1970: after it the node no longer waits for the reply (6)
--          when the clock of this server was last set back, or was first read (6)
--
-- reply    words that are separated by spaces:
--          'rotated' | 'replayed' | 'healed', then now, generation, time of rotation, idle expiry,
--            authorization
--          'reused', then now, current generation, which is 0 if the session was condemned before
--          'expired'
--          'unknown'
--          'late' | 'early', then now: nothing was done; open.lua explains why
local LAYOUT, PACKED, SIZE = 1, '>BI4I6c6I5I4', 26
local PACKED_LEAD, SIZE_WITH_LEAD = '>I6', 32
local NO_RETRY_KEY = string.rep('\0', 6)
local CONDEMNED = 0
local MAX_DEADLINE, CLOCK_TOLERANCE = 2000, 1000
local key = KEYS[1]
local sid, now, idle_ttl, grace, presented, retry_key, current_era, deadline, steady_since =
  struct.unpack('>c16I6I6I6I4c6I4I6I6', ARGV[1])

if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The caller has given up, and the client may have refreshed at another node since then.
if now > deadline then return 'late ' .. now end
if deadline - now > MAX_DEADLINE then return 'early ' .. now end

local found = redis.call('HMGET', key, sid, 'u')
local value = found[1]
-- A value that another version packed, or that is damaged, is not read: Postgres knows the session.
if not value or string.byte(value) ~= LAYOUT then return 'unknown' end
if #value ~= SIZE and #value ~= SIZE_WITH_LEAD then return 'unknown' end
if not found[2] or not string.match(found[2], '^%d+') then return 'unknown' end
local _, generation, at, stored_key, absolute, era = struct.unpack(PACKED, value)
local lead = #value == SIZE and 0 or struct.unpack(PACKED_LEAD, value, SIZE + 1)

local function save()
  local packed = struct.pack(PACKED, LAYOUT, generation, at, stored_key, absolute, era)
  if lead > 0 then packed = packed .. struct.pack(PACKED_LEAD, lead) end
  redis.call('HSET', key, sid, packed)
end

local function expiry()
  return math.min(at + idle_ttl, absolute * 1000)
end

local function accept(outcome)
  return table.concat({ outcome, now, generation, at, expiry(), found[2] }, ' ')
end

if generation == CONDEMNED then return 'reused ' .. now .. ' ' .. CONDEMNED end
-- After a restart or a fail-over these data may be old. Postgres knows whether the session is live
-- and how far it has come.
if era ~= current_era then return 'unknown' end
if now >= expiry() then
  redis.call('HDEL', key, sid)
  if redis.call('HLEN', key) == 1 then redis.call('DEL', key) end
  return 'expired'
end

if presented >= generation then
  local outcome = presented > generation and 'healed' or 'rotated'
  generation, at, stored_key = presented + 1, math.max(now, at), retry_key
  lead = at - now
  save()
  local life = expiry() - now
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
  return accept(outcome)
end

if presented == generation - 1 then
  local elapsed = now - (at - lead)
  -- The clock was set back since the rotation, so that is all that is known of its time.
  if elapsed < -CLOCK_TOLERANCE then elapsed = now - steady_since end
  if elapsed <= grace then
    if stored_key == NO_RETRY_KEY and retry_key ~= NO_RETRY_KEY then
      stored_key = retry_key
      save()
    end
    return accept('replayed')
  end
  if stored_key ~= NO_RETRY_KEY and stored_key == retry_key then return accept('replayed') end
end

local current = generation
generation = CONDEMNED
save()
return 'reused ' .. now .. ' ' .. current
