// The points of `timeseries`, made ready for a chart: one for each hour or day of the period.

/**
 * Columns `[starts in seconds, visits, page views]`. A bucket the answer leaves out is 0; one that
 * has not begun yet is null, which a chart leaves blank instead of falling to zero. A point counts
 * for the bucket in which it starts, so that an answer cut in another time zone loses nothing.
 */
export function columnsOf({ interval, points }, { first, end }, now = new Date()) {
  const begun = starts(interval, first, end);
  const columns = [begun.map((start) => start / 1000), ...[0, 1].map(() => begun.map((start) => (start > now ? null : 0)))];
  for (const point of points) {
    const index = bucketOf(begun, Date.parse(point.start));
    if (columns[1][index] === null) continue;
    columns[1][index] += point.visits;
    columns[2][index] += point.page_views;
  }
  return columns;
}

/** The starts of all buckets in milliseconds; days are calendar days of the browser. */
function starts(interval, first, end) {
  const all = [];
  const at = new Date(first);
  while (at < end) {
    all.push(at.getTime());
    if (interval === "hour") at.setTime(at.getTime() + 3_600_000);
    else at.setDate(at.getDate() + 1);
  }
  return all;
}

function bucketOf(begun, time) {
  let [low, high] = [0, begun.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (begun[middle] <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
