/* The compiled forms of `scan` (streams/rtsp/scanner.py) and `new_access_unit` (streams/rtsp/assembler.py).
 *
 * `scan` reads what a camera sends. Every byte is looked at only after the frame that holds it was found to be whole
 * between `pos` and `end`, and these to be inside the buffer. Nothing is kept between two calls.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#define FRAME_BYTES 4      /* '$', channel, length (RFC 2326, 10.12) */
#define HEADER_BYTES 16    /* frame and RTP header without sources and extension (RFC 3550, 5.1) */
#define LEAST_LENGTH 16    /* of a packet: its header and four bytes, so that every look below is inside it */
#define FORM_H264 2        /* see scanner.py; also the bytes in front of a fragment's data */
#define FORM_H265 3
#define FORM_H265_ORDERED 4

enum kind { OTHER, START, MIDDLE, END, WHOLE };

struct look {
    const unsigned char *data;
    int channel, payload_type, sequence, form;
    long long ssrc, stamp, mid, ending; /* -1: none yet */
};

static unsigned int two(const unsigned char *at) { return (unsigned int)at[0] << 8 | at[1]; }

static unsigned int four(const unsigned char *at) { return two(at) << 16 | two(at + 2); }

/* Bytes that the packet at `pos` takes with its frame, 0 when it is not whole or not a plain one of this stream. */
static Py_ssize_t plain_frame(const struct look *look, Py_ssize_t pos, Py_ssize_t end) {
    if (end - pos < FRAME_BYTES + LEAST_LENGTH) return 0;
    const unsigned char *frame = look->data + pos;
    Py_ssize_t length = two(frame + 2);
    if (frame[0] != '$' || frame[1] != look->channel || length < LEAST_LENGTH) return 0;
    if (length > end - pos - FRAME_BYTES) return 0;
    if (frame[4] != 0x80 || (frame[5] & 0x7F) != look->payload_type) return 0;
    if ((int)two(frame + 6) != look->sequence || (long long)four(frame + 12) != look->ssrc) return 0;
    return FRAME_BYTES + length;
}

/* The first two or three bytes of a fragment. */
static long long front(const struct look *look, const unsigned char *payload) {
    return look->form == FORM_H264 ? two(payload) : (long long)two(payload) << 8 | payload[2];
}

/* What the packet's payload is to the NAL unit that is joined; the first fragment also says what it looks for. */
static enum kind kind_of(struct look *look, const unsigned char *frame, unsigned char header[2]) {
    const unsigned char *payload = frame + HEADER_BYTES;
    int is_marked = frame[5] >> 7;
    if (look->mid >= 0) {
        long long found = front(look, payload);
        if ((long long)four(frame + 8) != look->stamp) return OTHER;
        if (found == look->mid && !is_marked) return MIDDLE;
        return found == look->ending ? END : OTHER;
    }
    if (look->form == FORM_H264) { /* slices: types 1 to 5, in FU-A (28) or whole */
        int is_fragment = (payload[0] & 0x1F) == 28;
        int type = (is_fragment ? payload[1] : payload[0]) & 0x1F;
        if (type < 1 || type > 5) return OTHER;
        if (!is_fragment) return WHOLE;
        if ((payload[1] & 0xE0) != 0x80 || is_marked) return OTHER;
        header[0] = (unsigned char)((payload[0] & 0xE0) | type);
        look->mid = (long long)payload[0] << 8 | type;
    } else if (look->form == FORM_H265) { /* slices: types 0 to 31, in FU (49) or whole */
        int type = payload[0] >> 1 & 0x3F;
        if (type < 32) return WHOLE;
        if (type != 49 || (payload[2] & 0xE0) != 0x80 || is_marked) return OTHER;
        type = payload[2] & 0x1F;
        header[0] = (unsigned char)((payload[0] & 0x81) | type << 1);
        header[1] = payload[1];
        look->mid = (long long)two(payload) << 8 | type;
    } else {
        return OTHER;
    }
    look->ending = look->mid | 0x40;
    return START;
}

/* Copies the data of `packets` fragments, which lie one behind the other from `frame` on. */
static void join(char *to, const unsigned char *frame, Py_ssize_t packets, Py_ssize_t skipped) {
    while (packets--) {
        Py_ssize_t length = two(frame + 2);
        Py_ssize_t size = FRAME_BYTES + length - skipped;
        memcpy(to, frame + skipped, (size_t)size);
        to += size;
        frame += FRAME_BYTES + length;
    }
}

/* The finished NAL unit, or None after what came of it was put behind `fragment`; NULL with an exception set. */
static PyObject *joined(PyObject *fragment, const unsigned char *frames, Py_ssize_t packets, Py_ssize_t skipped,
                        Py_ssize_t size, const unsigned char *header, Py_ssize_t header_size, int is_finished) {
    Py_ssize_t before = PyByteArray_GET_SIZE(fragment);
    PyObject *result = Py_None;
    char *to;
    if (is_finished) {
        result = PyBytes_FromStringAndSize(NULL, before + header_size + size);
        if (result == NULL) return NULL;
        to = PyBytes_AS_STRING(result);
        memcpy(to, PyByteArray_AS_STRING(fragment), (size_t)before);
        if (before && PyByteArray_Resize(fragment, 0) < 0) {
            Py_DECREF(result);
            return NULL;
        }
    } else {
        Py_INCREF(result);
        if (!packets) return result;
        if (PyByteArray_Resize(fragment, before + header_size + size) < 0) {
            Py_DECREF(result);
            return NULL;
        }
        to = PyByteArray_AS_STRING(fragment);
    }
    memcpy(to + before, header, (size_t)header_size);
    join(to + before + header_size, frames, packets, skipped);
    return result;
}

static PyObject *scan_frames(struct look *look, Py_ssize_t pos, Py_ssize_t end, PyObject *fragment) {
    Py_ssize_t first = pos, packets = 0, size = 0, skipped = HEADER_BYTES + (look->form == FORM_H264 ? 2 : 3);
    unsigned char header[2] = {0, 0};
    Py_ssize_t header_size = 0;
    int is_finished = 0, is_started = 0, is_marked = 0;
    Py_ssize_t taken;
    while (!is_finished && (taken = plain_frame(look, pos, end)) > 0) {
        const unsigned char *frame = look->data + pos;
        enum kind kind = kind_of(look, frame, header);
        if (kind == OTHER) break;
        if (kind == START) {
            header_size = look->form == FORM_H264 ? 1 : 2;
            is_started = 1;
        }
        if (kind == WHOLE) skipped = HEADER_BYTES;
        look->stamp = four(frame + 8);
        size += taken - skipped;
        pos += taken;
        packets++;
        look->sequence = (look->sequence + 1) & 0xFFFF;
        is_finished = kind == END || kind == WHOLE;
        is_marked = frame[5] >> 7;
    }
    if (is_finished) look->mid = look->ending = -1;
    PyObject *nal = joined(fragment, look->data + first, packets, skipped, size, header, header_size, is_finished);
    if (nal == NULL) return NULL;
    return Py_BuildValue("nnLOLLNO", pos, packets, look->stamp, is_started ? Py_True : Py_False, look->mid,
                         look->ending, nal, is_finished && is_marked ? Py_True : Py_False);
}

static PyObject *scan(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    if (count != 12) return PyErr_Format(PyExc_TypeError, "scan takes 12 arguments, not %zd", count);
    PyObject *fragment = arguments[11];
    if (!PyByteArray_Check(fragment)) return PyErr_Format(PyExc_TypeError, "fragment must be a bytearray");
    Py_ssize_t pos = PyLong_AsSsize_t(arguments[1]), end = PyLong_AsSsize_t(arguments[2]);
    long long numbers[8];
    for (int index = 0; index < 8; index++) numbers[index] = PyLong_AsLongLong(arguments[3 + index]);
    if (PyErr_Occurred()) return NULL;
    Py_buffer view;
    if (PyObject_GetBuffer(arguments[0], &view, PyBUF_SIMPLE) < 0) return NULL;
    PyObject *result = NULL;
    if (pos < 0 || pos > end || end > view.len) {
        PyErr_Format(PyExc_ValueError, "bytes %zd to %zd of %zd cannot be read", pos, end, view.len);
    } else {
        struct look look = {
            .data = view.buf,
            .channel = (int)numbers[0],
            .payload_type = (int)numbers[1],
            .ssrc = numbers[2],
            .stamp = numbers[3],
            .sequence = (int)numbers[4],
            .mid = numbers[5],
            .ending = numbers[6],
            .form = (int)numbers[7],
        };
        result = scan_frames(&look, pos, end, fragment);
    }
    PyBuffer_Release(&view);
    return result;
}

/* access_unit(class, slots, nal_units, *values): an AccessUnit of a list of NAL units and the rest of its fields.
 *
 * It and its tuple refer to bytes, numbers and parameters alone and can be in no cycle, so the garbage collector
 * need not walk through a ring of them again and again.
 */
static PyObject *access_unit(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    (void)module;
    if (count < 3 || !PyType_Check(arguments[0]) || !PyTuple_CheckExact(arguments[1]) ||
        PyTuple_GET_SIZE(arguments[1]) != count - 2 || !PyList_CheckExact(arguments[2]))
        return PyErr_Format(PyExc_TypeError, "access_unit takes a class, its slots, a list and as many values");
    PyTypeObject *class = (PyTypeObject *)arguments[0];
    PyObject *nal_units = PyList_AsTuple(arguments[2]);
    if (nal_units == NULL) return NULL;
    PyObject *unit = class->tp_alloc(class, 0);
    for (Py_ssize_t index = 0; unit != NULL && index < count - 2; index++) {
        PyObject *value = index ? arguments[2 + index] : nal_units;
        if (PyObject_GenericSetAttr(unit, PyTuple_GET_ITEM(arguments[1], index), value) < 0) Py_CLEAR(unit);
    }
    if (unit != NULL) {
        if (PyTuple_GET_SIZE(nal_units)) PyObject_GC_UnTrack(nal_units);
        PyObject_GC_UnTrack(unit);
    }
    Py_DECREF(nal_units);
    return unit;
}

static PyMethodDef methods[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL, "See streams.rtsp.scanner.scan_in_python."},
    {"access_unit", (PyCFunction)(void (*)(void))access_unit, METH_FASTCALL, "See streams.rtsp.scanner.Compiled."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_scanner",
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__scanner(void) { return PyModule_Create(&definition); }
