/** What verification of TDX and SGX quotes remembers: every table is bounded by whoever hands it in. */
export type TdxFacts = Readonly<Record<never, never>>
