/** Every format by its command-line name. */
import type { Format } from "../src/codec/index.js";

// biome-ignore lint/suspicious/noExplicitAny: a list of formats of different values.
type AnyFormat = Format<any>;

/** In the order `pugmark formats` lists them. */
export const formats: readonly AnyFormat[] = [];

export const formatByName = (name: string): AnyFormat | undefined => formats.find((format) => format.name === name);
