/** Messages that were found. */
export function SearchView ({ query }: { query: string }) {
  return <p>{query}</p>
}
