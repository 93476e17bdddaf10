/**
 * What each kind of network costs on this host, measured: a small laboratory of namespaces with a host, an outside and
 * containers, in which a measuring program sends. Nothing of the real host is touched or sent by.
 *
 * Words: laboratory, figure (latency and throughput between two places).
 * Owns namespaces and processes for as long as a measurement takes; a kill of the daemon ends both.
 */
export { type Figure, type ModeFigures, measureModes } from "./measure.ts";
