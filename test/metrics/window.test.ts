import { Histogram } from '../../src/histogram.ts'
import { percentile } from '../../src/metrics/window.ts'
import { t } from '../tap.ts'

t.test('[P77] a percentile is about the observations between two moments, and is interpolated within its bucket', async t => {
  const histogram = new Histogram([1, 2, 4])
  for (let i = 0; i < 100; i++) histogram.observe(0.5)
  const before = [...histogram.counts]
  t.equal(percentile(histogram.bounds, before, before, 0.5), null, 'nothing was observed')
  for (const value of [3, 3, 3, 3]) histogram.observe(value)
  t.equal(percentile(histogram.bounds, before, histogram.counts, 0.5), 3, 'the middle of the bucket from 2 to 4')
  t.equal(percentile(histogram.bounds, before, histogram.counts, 1), 4)
  for (const value of [1.5, 1.5, 1.5, 1.5]) histogram.observe(value)
  t.equal(percentile(histogram.bounds, before, histogram.counts, 0.25), 1.5)
  t.equal(percentile(histogram.bounds, before, histogram.counts, 0.75), 3)
})

t.test('[P77] a percentile above all bounds is the highest bound', async t => {
  const histogram = new Histogram([1, 2, 4])
  histogram.observe(100)
  t.equal(percentile(histogram.bounds, [0, 0, 0, 0], histogram.counts, 0.5), 4)
})
