/** Declarations of everything WiredTiger leaves on disk. */
export * from "./registry.js";
