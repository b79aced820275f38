/**
 * The lines in which the engine prints a block it found corrupt (formats: page-log stores §5):
 * `… __wt_bm_corrupt_dump …: {objectid: offset, size, 0xchecksum}: (chunk n of m): hex bytes`, newer
 * `… corrupt dump: {…}: …`. MongoDB wraps the line in JSON. In page logs the offset is the page id, and a chain is
 * dumped newest block first.
 */

/** What a line must contain to be one, in either wording. */
export const CORRUPTION_MARKERS = ["corrupt_dump", "corrupt dump:"] as const;

/** Block bytes of every chunk but the last. */
export const CORRUPTION_CHUNK = 1024;

/** Object id, offset, size, checksum, chunk, number of chunks, hex bytes. */
export const corruptionDumpLine =
  /\{\s*(\d{1,20}):\s*(\d{1,20}),\s*(\d{1,10}),\s*0x([0-9a-fA-F]{1,8})\s*\}:\s*\(chunk (\d{1,9}) of (\d{1,9})\):(.*)$/s;

/** The file a session worked on, in the engine's text in front of the dump. */
export const corruptionDumpFile = /\bfile:[^\s,/"]+/;

/** Where a MongoDB log line has the engine's text. */
export const mongoLogKeys = { attributes: "attr", message: "message", text: "msg" } as const;
