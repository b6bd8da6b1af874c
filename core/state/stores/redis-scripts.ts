/**
 * A whole commit, atomic because Redis runs a script alone.
 * KEYS: records (hash `table\nkey` → `version:json`), revision, changes (stream whose ids are `<revision>-0`), the counter
 * of fences of the lock it is made under.
 * ARGV: the fence or empty, how many changes to keep, the change's records as JSON, then per write: `put` or `delete`, field, expected
 * version or empty, value. Gives {0, index of the lost write}, {1, revision}, or {2, 0} when the
 * lock was given to another since.
 */
export const commitScript = `
if ARGV[1] ~= '' and redis.call('GET', KEYS[4]) ~= ARGV[1] then return {2, 0} end
local writes = (#ARGV - 3) / 4
for i = 0, writes - 1 do
  local expect = ARGV[6 + i * 4]
  if expect ~= '' then
    local held = redis.call('HGET', KEYS[1], ARGV[5 + i * 4])
    local version = held and string.match(held, '^(%d+):') or '0'
    if version ~= expect then return {0, i} end
  end
end
local revision = redis.call('INCR', KEYS[2])
for i = 0, writes - 1 do
  local field = ARGV[5 + i * 4]
  if ARGV[4 + i * 4] == 'put' then redis.call('HSET', KEYS[1], field, revision .. ':' .. ARGV[7 + i * 4])
  else redis.call('HDEL', KEYS[1], field) end
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], revision .. '-0', 'records', ARGV[3])
return {1, revision}`;

/** KEYS: lease, fence counter. ARGV: owner, ms. Gives the fence, or 0 while another holds it. */
export const acquireScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. fence, 'PX', ARGV[2])
return fence`;

/** KEYS: lease. ARGV: holder, ms. Gives 1, or 0 when somebody else (or nobody) holds it. */
export const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** KEYS: lease. ARGV: holder. */
export const releaseScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;
