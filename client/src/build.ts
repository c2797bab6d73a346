/** Names the sources that this was compiled from, so that an old tab never shares a worker with a new build [C9]. */
export const BUILD = 'the compilation puts a digest here'
