/** A tap test, and those of its tests that run now. */
interface Running<T> { activeSubtests: Set<T> }

/** Returns the innermost test that runs in a test; the test itself if it has no others. */
export function runningIn<T extends object> (test: T): T {
  const [inner] = [...(test as Partial<Running<T>>).activeSubtests ?? []].slice(-1)
  return inner === undefined ? test : runningIn(inner)
}
