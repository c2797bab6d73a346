/** The claims of an access token that name its login. `exp`: seconds since 1970. */
export interface Claims { user_id: string, sid: string, exp: number }

/** Reads an access token, without checking it. @returns undefined for a token that Parley did not make. */
export function claimsOf (token: string): Claims | undefined {
  try {
    const claims = JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as Claims
    return claims.user_id && claims.sid && claims.exp ? claims : undefined
  } catch {
    return undefined
  }
}
