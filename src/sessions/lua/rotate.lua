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
--
-- reply    words that are separated by spaces:
--          'rotated' | 'replayed' | 'healed', then now, generation, time of rotation, idle expiry,
--            authorization
--          'reused', then now, current generation, which is 0 if the session was condemned before
--          'expired'
--          'unknown'
--          'late', then now: the command arrived after its deadline, and nothing was done
local PACKED = '>I4I6c6I6I4'
local NO_RETRY_KEY = string.rep('\0', 6)
local CONDEMNED = 0
local SIZE = 26
local key = KEYS[1]
local sid, now, idle_ttl, grace, presented, retry_key, current_era, deadline =
  struct.unpack('>c16I6I6I6I4c6I4I6', ARGV[1])

if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The caller has given up, and the client may have refreshed at another node since then.
if now > deadline then return 'late ' .. now end

local found = redis.call('HMGET', key, sid, 'u')
-- A value that another version packed, or that is damaged, is not read: Postgres knows the session.
local is_readable = found[1] and #found[1] == SIZE and found[2] and string.match(found[2], '^%d+')
if not is_readable then return 'unknown' end
local generation, at, stored_key, absolute, era = struct.unpack(PACKED, found[1])

local function save()
  redis.call('HSET', key, sid, struct.pack(PACKED, generation, at, stored_key, absolute, era))
end

local function expiry()
  return math.min(at + idle_ttl, absolute)
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
  generation, at, stored_key = presented + 1, now, retry_key
  save()
  local life = expiry() - now
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
  return accept(outcome)
end

if presented == generation - 1 then
  if now - at <= grace then
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
