#include "shim.h"

void frame_header(uint8_t out[FRAME_HEADER], uint8_t type, uint32_t length) {
  out[0] = type;
  out[1] = out[2] = out[3] = 0;
  out[4] = (uint8_t)(length >> 24);
  out[5] = (uint8_t)(length >> 16);
  out[6] = (uint8_t)(length >> 8);
  out[7] = (uint8_t)length;
}

bool frame_parse(const uint8_t in[FRAME_HEADER], uint8_t *type, uint32_t *length) {
  if (in[1] != 0 || in[2] != 0 || in[3] != 0) return false;
  *type = in[0];
  *length = read_u32be(in + 4);
  return *length <= FRAME_MAX_PAYLOAD;
}

uint32_t read_u32be(const uint8_t *in) {
  return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

uint16_t read_u16be(const uint8_t *in) {
  return (uint16_t)(in[0] << 8 | in[1]);
}
