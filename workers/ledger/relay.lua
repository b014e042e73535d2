#!lua flags=allow-oom
-- Sends on what has come in of answers. ARGV: id, epoch, number of the first frame, how many, the frames, then the next id ...
-- Returns for each how many frames its stream has now, or -1 where the run no longer holds the job.
local counts = {}
local i = 1
while i <= #ARGV do
  local id, epoch, start, many = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local held = redis.call('HMGET', job_key(id), 'status', 'epoch', 'waiters')
  if held[1] == 'in_progress' and held[2] == epoch then
    counts[#counts + 1] = append_frames(id, start, i + 4, i + 3 + many, held[3])
  else
    counts[#counts + 1] = -1
  end
  i = i + 4 + many
end
send_frames()
return counts
