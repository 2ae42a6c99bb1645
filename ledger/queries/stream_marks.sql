-- How far every report of every source was pulled, and when that was last done.
select source, stream, complete_until, pulled_at
from pulled_streams
order by source, stream
