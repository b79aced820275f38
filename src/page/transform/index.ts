export { lz4Compressor, snappyCompressor, zlibCompressor, zstdCompressor } from "./compressors.js";
export {
  type BlockShape,
  decryptBlock,
  deflateImage,
  detectRotnKeyIds,
  encryptedPart,
  type ImageOptions,
  inflateImage,
  MAX_IMAGE_LENGTH,
} from "./image.js";
export {
  compressorByName,
  detectCompressor,
  encryptorByName,
  registerCompressor,
  registerEncryptor,
  registeredCompressors,
} from "./registry.js";
export { looksLikeRotn, rotnEncryptor } from "./rotn.js";
export type { Compressor, EncryptionContext, Encryptor, StreamCodec } from "./types.js";
