/** What a caller may do: `viewer` reads what the operator wrote, `admin` also changes it. */
export type Role = 'viewer' | 'admin'

/** An authenticated caller. */
export type Principal = { readonly name: string; readonly role: Role }

/** Bearer tokens of operators, kept as SHA-256. */
export type Credentials = {
  /**
   * Who the Authorization header names; undefined without a header.
   * Throws `unauthenticated` for a header that is malformed or names nobody: wrong credentials never count as none.
   */
  readonly authenticate: (authorization: string | undefined) => Principal | undefined
}
