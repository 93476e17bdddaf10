/**
 * Whole applications on their way from one engine to another: the containers of a project with their images, networks and
 * volumes in one stream.
 *
 * Words: application (what carries one value of the label `com.docker.compose.project`), plan (what an archive says is in it).
 * Owns nothing. Invariant: an import that fails leaves no container, network or volume of its own behind.
 */
export { ApplicationMoves, type ImportedApplication } from "./moves.ts";
