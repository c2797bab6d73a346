// Scripts that run in the page of the app. They are texts, because this project's types know no DOM.

export interface Frames {
  /** Frames per second on average. */
  perSecond: number
  /** Milliseconds. */
  longest: number
  /** Frames that took more than 50 ms. */
  long: number
}

const SUMMARY = `
  const summary = times => {
    const gaps = times.slice(1).map((time, i) => time - times[i])
    return {
      perSecond: gaps.length / (times.at(-1) - times[0]) * 1000, longest: Math.max(...gaps), long: gaps.filter(gap => gap > 50).length
    }
  }
`

/**
 * Scrolls the channel up, a fixed distance in each frame, until its beginning is there. Returns `Frames` and the height of what was
 * scrolled through, in pixels.
 */
export const scrollToTop = (patience: number): string => `(async () => {
  ${SUMMARY}
  const messages = document.querySelector('.messages')
  const times = []
  const end = performance.now() + ${patience}
  while (!messages.querySelector('.beginning')) {
    times.push(await new Promise(requestAnimationFrame))
    messages.scrollTop -= 600
    if (performance.now() > end) throw new Error('the top was not reached: ' + messages.scrollTop + ' px are left')
  }
  return { ...summary(times), height: messages.scrollHeight }
})()`

/** Watches the frames for so many milliseconds, and returns `Frames`. */
export const watchFrames = (ms: number): string => `(async () => {
  ${SUMMARY}
  const times = []
  const end = performance.now() + ${ms}
  while (performance.now() < end) times.push(await new Promise(requestAnimationFrame))
  return summary(times)
})()`

/** Milliseconds until something was painted first. */
export const firstPaint = `new Promise(resolve => {
  new PerformanceObserver((list, observer) => {
    const entry = list.getEntriesByName('first-contentful-paint')[0]
    if (entry) { observer.disconnect(); resolve(entry.startTime) }
  }).observe({ type: 'paint', buffered: true })
})`
