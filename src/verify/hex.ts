/** A checksum as findings show it. */
export const hex32 = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
