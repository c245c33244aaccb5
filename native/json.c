#include "shim.h"

/*
 * Length of the UTF-8 sequence at `text`, 0 if it is none (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 * With `is_cut` set, a sequence that `length` cuts short counts as invalid but sets *is_cut.
 */
static size_t utf8_sequence(const uint8_t *text, size_t length, bool *is_cut) {
  uint8_t lead = text[0];
  size_t size = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (size < 2) return size;
  for (size_t i = 1; i < size; i++) {
    if (i == length) {
      *is_cut = true;
      return 0;
    }
    uint8_t low = 0x80, high = 0xbf;
    if (i == 1) {
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    }
    if (text[i] < low || text[i] > high) return 0;
  }
  return size;
}

size_t utf8_whole_prefix(const uint8_t *text, size_t length) {
  for (size_t back = 1; back <= 3 && back <= length; back++) {
    const uint8_t *tail = text + length - back;
    if ((*tail & 0xc0) == 0x80) continue;
    bool is_cut = false;
    (void)utf8_sequence(tail, back, &is_cut);
    return is_cut ? length - back : length;
  }
  return length;
}

static size_t put(char *out, const char *text) {
  size_t n = 0;
  for (; text[n] != 0; n++) out[n] = text[n];
  return n;
}

static size_t escape_byte(char *out, uint8_t byte) {
  static const char digits[] = "0123456789abcdef";
  switch (byte) {
    case '"': return put(out, "\\\"");
    case '\\': return put(out, "\\\\");
    case '\n': return put(out, "\\n");
    case '\r': return put(out, "\\r");
    case '\t': return put(out, "\\t");
    default: break;
  }
  if (byte >= 0x20) {
    out[0] = (char)byte;
    return 1;
  }
  size_t n = put(out, "\\u00");
  out[n] = digits[byte >> 4];
  out[n + 1] = digits[byte & 15];
  return n + 2;
}

size_t json_escape(char *out, const uint8_t *text, size_t length) {
  char *start = out;
  for (size_t i = 0; i < length;) {
    if (text[i] < 0x80) {
      out += escape_byte(out, text[i]);
      i += 1;
      continue;
    }
    bool is_cut = false;
    size_t size = utf8_sequence(text + i, length - i, &is_cut);
    if (size == 0) {
      out += put(out, "\\ufffd");
      i += 1;
      continue;
    }
    /* U+2028 and U+2029 end a line in JavaScript source, so readers that evaluate JSON want them escaped. */
    if (size == 3 && text[i] == 0xe2 && text[i + 1] == 0x80 && (text[i + 2] & 0xfe) == 0xa8) {
      out += put(out, text[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
    } else {
      for (size_t k = 0; k < size; k++) *out++ = (char)text[i + k];
    }
    i += size;
  }
  return (size_t)(out - start);
}
