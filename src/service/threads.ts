/**
 * How many of libuv's threads a process needs: signatures are verified on them. More than the process has cores to itself take those from
 * each other and from the thread that serves; four are more than one such thread can feed; with one alone, a name that resolves slowly would stop all.
 */
export const signatureThreads = (cores: number, processes: number): number => Math.min(4, Math.max(2, Math.ceil(cores / processes)))

/**
 * Where signatures are verified. A process that shares its core with no other thread of ours gains nothing from the pool but the hop,
 * a tenth of an appraisal; with cores to spare, the pool uses them.
 */
export const signaturePlace = (cores: number, processes: number): 'pool' | 'in-place' =>
  processes > 1 && processes >= cores ? 'in-place' : 'pool'
