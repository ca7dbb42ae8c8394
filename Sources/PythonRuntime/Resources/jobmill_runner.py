"""Runs Python functions as Jobmill handlers: Python 3.9 or newer, nothing but the standard library.

One process, the zygote, imports the user's module once and then forks workers, which share that memory copy-on-write. A
worker runs chunks of jobs, one at a time. Zygote and server talk over a SOCK_SEQPACKET socket; each worker has a stream
socket and a page of shared memory of its own. Every number is little-endian, every text is its length (4 bytes) and
UTF-8. What functions print is a log, never protocol.
"""

import asyncio
import collections
import faulthandler
import fcntl
import functools
import gc
import importlib
import inspect
import io
import json
import linecache
import logging
import math
import mmap
import os
import re
import resource
import select
import signal
import socket
import struct
import sys
import termios
import threading
import time
import traceback
import types
from time import monotonic, monotonic_ns

FILE = "jobmill_runner.py"

try:
    import ctypes

    _prctl = ctypes.CDLL(None).prctl
    _prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
except (ImportError, OSError, AttributeError):
    _prctl = None  # The server kills workers by their process groups, so this is a second line of defence.

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def prctl(option, argument):
    if _prctl is not None:
        _prctl(option, argument, 0, 0, 0)


# What a fork is followed by works on few pages of memory, as each one that it is the first to change is copied then: so it
# does without file objects, and without the enumerations that the module signal makes of numbers.

set_signal_handler, set_signal_mask = inspect.unwrap(signal.signal), inspect.unwrap(signal.pthread_sigmask)


def tell_kernel(path, text):
    """Writes into a file of /proc what is of no interest if it fails."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(file, text)
    except OSError:
        pass
    finally:
        os.close(file)


def set_process_name(name):
    """For the eyes of whoever looks at a list of processes."""
    tell_kernel("/proc/self/comm", name)


# MARK: Bytes


def clipped(text, limit, keep_end=False):
    """Text as UTF-8 of at most `limit` bytes, whole characters only."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > limit:
        data = (data[-limit:] if keep_end else data[:limit]).decode("utf-8", "ignore").encode()
    return data


def field(text, limit, keep_end=False):
    data = clipped(text, limit, keep_end)
    return struct.pack("<I", len(data)) + data


def frame(kind, *parts):
    """A message of the stream: the length of the rest, the kind, the fields."""
    body = b"".join(parts)
    return struct.pack("<IB", 1 + len(body), kind) + body


class Fields:
    """Takes fields from a message, one after the other."""

    def __init__(self, data):
        self.data = memoryview(data)
        self.offset = 0

    def take(self, layout):
        layout = "<" + layout
        values = struct.unpack_from(layout, self.data, self.offset)
        self.offset += struct.calcsize(layout)
        return values if len(values) > 1 else values[0]

    def text(self):
        length = self.take("I")
        self.offset += length
        return str(self.data[self.offset - length : self.offset], "utf-8")

    def rest(self):
        return str(self.data[self.offset :], "utf-8")


def refuse(value):
    hint = {bytes: " (decode it, or use base64)", set: " (make it a list)"}.get(type(value), "")
    if hasattr(value, "tolist"):  # NumPy's
        hint = " (use its tolist)"
    raise TypeError(f"it holds a value of type {type_name(type(value))}{hint}")


def float_text(value):
    if value - value:  # Only of finite numbers this is 0.
        raise ValueError(f"Out of range float values are not JSON compliant: {value!r}")
    return repr(value)


#: How values of these types become JSON.
SCALARS = {
    int: repr,
    float: float_text,
    str: json.encoder.encode_basestring,
    bool: ("false", "true").__getitem__,
    type(None): {None: "null"}.__getitem__,
}


#: What makes text of a value in an f-string, if its type is known.
QUICK_TEXTS = {int: "{%s}", str: "{text_of(%s)}", float: "{float_text(%s)}"}


@functools.lru_cache
def shape_maker(kinds):
    """Compiles what makes JSON of a dict with so many keys: quickly if its values are of these types, more slowly if they are other
    scalars. The keys come as arguments: nothing of a result becomes code."""
    values = [f"value{number}" for number in range(len(kinds))]
    keys = ", ".join(f"key{number}, before{number}" for number in range(len(kinds)))
    taken = "; ".join(f"{value} = value[key{number}]" for number, value in enumerate(values))
    are_known = " and ".join(f"type({value}) is {kind.__name__}" for value, kind in zip(values, kinds) if kind in QUICK_TEXTS)
    slow = ["{scalars[type(%s)](%s)}" % (value, value) for value in values]
    quick = [QUICK_TEXTS[kind] % value if kind in QUICK_TEXTS else text for value, kind, text in zip(values, kinds, slow)]
    slow_text, quick_text = (
        "".join(f"{{before{number}}}{text}" for number, text in enumerate(texts)) + "}}," for texts in (slow, quick)
    )
    code = f"""
def maker(scalars, text_of, float_text, otherwise, {keys}):
    def shape(value):
        {taken}
        try:
            return f'{quick_text}' if {are_known or True} else f'{slow_text}'
        except KeyError:
            return otherwise(value)
    return shape"""
    namespace = {}
    exec(code, namespace)
    return namespace["maker"]


def compile_shape(value, otherwise):
    """What makes JSON, with a comma behind it, of a dict with the keys of this one; `otherwise` does if there is more in it than
    scalars. None if there is no key, or one that is no text."""
    if not value or any(type(key) is not str for key in value):
        return None
    arguments = []
    for number, key in enumerate(value):
        arguments += key, f"{',' if number else '{'}{json.encoder.encode_basestring(key)}:"
    maker = shape_maker(tuple(map(type, value.values())))
    return maker(SCALARS, json.encoder.encode_basestring, float_text, otherwise, *arguments)


#: Dicts with more keys than these are not worth their code.
MAXIMUM_KEYS = 32


class Encoder:
    """Makes compact, strict JSON, as `json.dumps` does, but faster for what functions mostly return: scalars, and dicts of
    scalars that have the same keys again and again."""

    #: Code is compiled for keys that have come so many times, and for so many sets of keys.
    PATIENCE, MAXIMUM_SHAPES = 16, 256

    def __init__(self):
        #: Those around what is being encoded, so that a circle is found.
        self.containers = {}
        try:
            #: Takes a value and a level, and returns pieces of text.
            self.pieces = json.encoder.c_make_encoder(
                self.containers, refuse, json.encoder.encode_basestring, None, ":", ",", False, False, False
            )
        except TypeError:  # There is none, or it is not what it was when this was written.
            encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=refuse)
            self.pieces = lambda value, _: (encoder.encode(value),)
        #: What makes JSON, with a comma behind it, of dicts with these keys; None: nothing that is faster than `encode_any`. Keys
        #: that are equal are taken to have the same text.
        self.shapes = {}
        #: How many dicts there were with keys of such a hash that have no shape. The keys themselves may be large.
        self.seen = collections.Counter()
        #: What makes JSON of values of these types; of any other, `encode_any` does.
        self.for_type = {**SCALARS, dict: self.encode_dict}

    def encode_any(self, value):
        try:
            return "".join(self.pieces(value, 0))
        except BaseException:
            self.containers.clear()  # What it was in the middle of is not what the next value goes round in.
            raise

    def encode_dict(self, value):
        """Of one that has no shape."""
        if len(value) <= MAXIMUM_KEYS:
            self.learn(tuple(value), value)
        return self.encode_any(value)

    def learn(self, keys, value):
        """Compiles something for keys that come often. If hardly any do, that is tried no longer."""
        if keys in self.shapes:
            return
        mark = hash(keys)
        self.seen[mark] += 1
        if self.seen[mark] >= self.PATIENCE and len(self.shapes) < self.MAXIMUM_SHAPES:
            self.shapes[keys] = compile_shape(value, functools.partial(self.unlearn, keys))
        elif len(self.seen) > self.MAXIMUM_SHAPES:
            self.seen.clear()
            if not self.shapes:
                self.for_type[dict] = self.encode_any

    def unlearn(self, keys, value):
        """There is more in it than scalars, and may be in others."""
        self.shapes[keys] = None
        return self.encode_any(value) + ","


#: A shorter text holds neither too large a number nor too many levels.
HARMLESS = 300
MAXIMUM_DEPTH = 511
LONG_NUMBER = b"0" * 309
ZEROED = bytes.maketrans(b"123456789", b"000000000")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKETS = bytes.maketrans(b"{}", b"[]")
ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def check_range(text):
    """Python writes JSON that most parsers do not take, the server's among them: numbers beyond 1.8e308, and hundreds of levels."""
    if LONG_NUMBER in text.translate(ZEROED) and LONG_NUMBER in STRING.sub(b"", text).translate(ZEROED):
        raise ValueError("it holds a number of more than 308 digits (make it a string)")
    if text.count(b"[") + text.count(b"{") > MAXIMUM_DEPTH:
        brackets = STRING.sub(b"", text).translate(BRACKETS, ALL_BUT_BRACKETS)
        levels = 0
        while brackets and levels < MAXIMUM_DEPTH:
            brackets = brackets.replace(b"[]", b"")
            levels += 1
        if brackets:
            raise ValueError(f"it is nested more than {MAXIMUM_DEPTH} levels deep")


TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]')


def split(text):
    """The JSON texts of values with commas between them."""
    depth = start = 0
    for match in TOKEN.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
        elif token in "]}":
            depth -= 1
        elif token == "," and depth == 0:
            yield text[start : match.start()]
            start = match.end()
    yield text[start:]


# MARK: Errors as text


def type_name(kind):
    """As tracebacks have it."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def message_of(error):
    if isinstance(error, SystemExit):
        return f"the function called sys.exit({'' if error.code is None else repr(error.code)})"
    try:
        return str(error)
    except Exception:
        return "the error has no text: its __str__ raised an error, too"


#: Where frames come from that stand between the runner and the user's code.
MACHINERY = (FILE, "<frozen importlib", os.path.dirname(importlib.__file__), os.path.dirname(asyncio.__file__))


def traceback_of(error):
    """The traceback as Python prints it, from the user's first frame on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(MACHINERY):
        frames = frames.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, frames))
    except Exception:  # A foreign __str__ or __repr__ had its say.
        return "".join(traceback.format_tb(frames))


def explained(what, error, limit=2048):
    """One line that tells what failed and why, then as much of the traceback's end as fits."""
    head = clipped(f"{what}: {type_name(type(error))}: {message_of(error)}", limit // 2)
    tail = clipped(traceback_of(error).rstrip(), limit - len(head) - 1, keep_end=True)
    return (head + b"\n" + tail if b"\n" in tail else head).decode()


#: What is measured of a failed job: a form, a process, its exit code and signal, seconds of processor time, bytes, seconds, and twice
#: a time and a count of unread bytes.
EVIDENCE = struct.Struct("<BiiidqdqIqI")

EXCEPTION, INVALID_RESULT, UNKNOWN_HANDLER, OUTPUT_LIMIT = range(4)


#: The size of what is no result, and so does not go where they go.
INFINITE = 1 << 62


class Failure(bytes):
    """A failed job, but for what is measured of it. Any other bytes are a result."""


def failure(kind, message, type="", traceback=""):
    return Failure(
        b"".join((bytes([kind]), field(message, 4096), field(type, 256), field(traceback, 16384, keep_end=True)))
    )


def exception(error):
    return failure(EXCEPTION, message_of(error), type_name(type(error)), traceback_of(error))


# MARK: Handlers


class Handler:
    """A function of the module, and how it wants to be called."""

    def __init__(self, specification, module):
        self.name = specification["name"]
        #: Why it cannot be used.
        self.problem = None
        self.initializer = None
        try:
            function = find(module, specification["function"])
            if specification["initializer"]:
                self.initializer = specification["initializer"], find(module, specification["initializer"])
            self.wants_context, self.call = adapt(function, specification["starmap"])
        except ValueError as error:
            self.problem = str(error)


def find(module, path):
    try:
        function = functools.reduce(getattr, path.split("."), module)
    except AttributeError:
        raise ValueError(f"the module {module.__name__} has no {path}") from None
    if not callable(function):
        raise ValueError(f"{path} of the module {module.__name__} is not callable")
    return function


def adapt(function, starmap):
    """Whether the function takes the context, and a way to call it with `(payload)` or `(payload, context)`."""
    if inspect.isasyncgenfunction(function):
        raise ValueError("it is an async generator, which has no result; use async def with context.progress")
    call = spread(function) if starmap else function
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # A few functions that are written in C do not tell.
        return False, call
    others = list(signature.parameters.values())[0 if starmap else 1 :]
    if any(other.name == "context" and other.kind in BY_NAME for other in others):
        probe = functools.partial(signature.bind, None, context=None)
        wants_context, adapted = True, lambda payload, context: call(payload, context=context)
    else:
        second = others[0] if others and not starmap else None
        wants_context = second is not None and second.kind in BY_PLACE and second.default is second.empty
        probe = functools.partial(signature.bind, *(None,) * (2 if wants_context else 1))
        adapted = call
    try:
        starmap or probe()
    except TypeError as error:
        raise ValueError(f"it cannot be called with a payload: {error}") from None
    return wants_context, adapted


BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def spread(function):
    """The function with an array as its arguments, or an object as its keywords."""

    def call(payload, **context):
        if isinstance(payload, list):
            return function(*payload, **context)
        if isinstance(payload, dict):
            return function(**payload, **context)
        raise TypeError("the payload must be an array of arguments or an object of keywords")

    return call


# MARK: What a worker shares with the server

#: What happened during a job that has to be dealt with at its end: printed, reported, watched, forked. Mostly nothing.
UNUSUAL = set()


class Output(io.TextIOWrapper):
    """A standard stream that notes its use: to flush it after each job would take longer than many a job."""

    def write(self, text):
        UNUSUAL.add("printed")
        return super().write(text)

    def close(self):
        self.flush()  # Later jobs print to it, too.


PAGE_SIZE = 256 * 1024
#: The words of the page.
CHUNK, POSITION, STARTED, FIRST, COMMIT, SEQUENCE, COUNTERS, PART, GENERATION, USED, MARKED, UNREAD = range(12)
#: The server's own: the chunk of which no further job is to be started.
RECALLED = 14
#: What the commit word says besides the bytes of closed runs: behind them, and behind the place of one header, stand results with a
#: comma behind each, until a zero comes. Nobody has counted them.
UNCOUNTED = 0xFFFFFF << 40


class Page:
    """Memory that the server reads even after the worker's death, at whatever instruction that came. A job's outcome is visible as a
    whole or not at all: a result by its comma, as JSON in front of which no byte is missing, anything else with one store of the
    commit word. A word of the memoryviews is one 8-byte store."""

    ENTRIES, ENTRY_SIZE, ENTRY_COUNT = 128, 64, 64
    REGION = 4352

    def __init__(self, file):
        # The mapping keeps a duplicate of the descriptor, which gets the lowest free number. Jobs must not find it: what
        # one of them writes to every descriptor would come to stand on the page.
        duplicate = os.dup(file)
        os.close(duplicate)
        self.bytes = mmap.mmap(file, PAGE_SIZE)
        # A child that was forked behind Python's back must not go on where it came from, with the same outcomes.
        self.bytes.madvise(mmap.MADV_DONTFORK)
        os.closerange(duplicate, duplicate + 1)
        self.words = memoryview(self.bytes).cast("Q")
        self.amounts = memoryview(self.bytes).cast("q")
        self.seconds = memoryview(self.bytes).cast("d")


READY = frame(6)


def out_of_the_way(descriptor):
    """The same under a high number: jobs that write to all low ones, or close them, do not mean it."""
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 512)
    except OSError:  # So many are not allowed.
        return descriptor
    os.close(descriptor)
    return high


class Connection:
    """The worker's socket. Threads of a job may log while the worker sends outcomes, so it has a lock."""

    def __init__(self, number):
        self.socket = socket.SocketType(fileno=number)
        self.socket.setblocking(True)
        self.lock = threading.RLock()
        self.process = os.getpid()

    def send(self, data):
        if os.getpid() != self.process:
            os._exit(0)  # A child that was forked behind Python's back.
        with self.lock:
            self.socket.sendall(data)

    def receive(self):
        """The next frame without its length; None when the server has closed the socket."""
        head = self._exactly(4)
        return head and self._exactly(int.from_bytes(head, "little"))

    def _exactly(self, count):
        data = bytearray(count)
        rest = memoryview(data)
        while rest:
            received = self.socket.recv_into(rest, 0, socket.MSG_WAITALL)
            if received == 0:
                return None
            rest = rest[received:]
        return data


class Counters:
    """What jobs of one part have added to their batch's counters and the server has not been sent yet: on the page, so
    that a crash loses none of it and counts none of it twice."""

    NAME = re.compile(r"[A-Za-z0-9_.-]{1,55}")
    AMOUNTS = range(-(2**63), 2**63)
    INTERVAL = 0.25

    def __init__(self, page, connection):
        self.page = page
        self.connection = connection
        #: Of each counter's amount.
        self.places = {}
        self.sent = monotonic()
        page.words[SEQUENCE] = 1

    def add(self, name, amount):
        if not isinstance(name, str) or not self.NAME.fullmatch(name):
            raise ValueError(f"a counter's name has 1 to 55 of the characters A-Z a-z 0-9 _ . -, not {name!r}")
        if not isinstance(amount, int) or amount not in self.AMOUNTS:
            raise ValueError(f"a counter takes whole numbers of 64 bits, not {amount!r}")
        with self.connection.lock:
            if not self._fits(name, amount):
                self.flush()
            self.page.amounts[self.places.get(name) or self._open(name)] += amount
            if monotonic() - self.sent > self.INTERVAL:
                self.flush()

    def _fits(self, name, amount):
        if name in self.places:
            return self.page.amounts[self.places[name]] + amount in self.AMOUNTS
        return len(self.places) < Page.ENTRY_COUNT

    def _open(self, name):
        """A place for a new counter."""
        offset = Page.ENTRIES + len(self.places) * Page.ENTRY_SIZE
        data = name.encode()
        self.page.amounts[offset // 8] = 0
        self.page.bytes[offset + 8 : offset + 9 + len(data)] = bytes([len(data)]) + data
        self.places[name] = offset // 8
        self.page.words[COUNTERS] = len(self.places)
        return offset // 8

    def begin_part(self, position):
        self.page.words[PART] = position

    def flush(self):
        if not self.places:
            return
        words = self.page.words
        with self.connection.lock:
            entries = [
                field(name, 55) + struct.pack("<q", self.page.amounts[place])
                for name, place in self.places.items()
            ]
            head = struct.pack("<QQQI", words[CHUNK], words[PART], words[SEQUENCE], len(entries))
            self.connection.send(frame(5, head, *entries))
            # In this order: after a death in between the server knows the sequence number and adds nothing twice.
            self.places.clear()
            words[COUNTERS] = 0
            words[SEQUENCE] += 1
            self.sent = monotonic()


class Outcomes:
    """Keeps a chunk's outcomes on the page and sends them when it is full, when they are 50 ms old, and at the chunk's
    end. The region of the page holds closed runs and behind them one run of results that still grows, and then zeros."""

    HEADER = 9
    ROOM = PAGE_SIZE - Page.REGION
    #: In seconds, like all times but those on the page.
    INTERVAL = 0.05
    #: Jobs that begin within this time share a baseline.
    MARK_INTERVAL = 0.004

    def __init__(self, page, connection, counters):
        self.marked = 0.0
        self.used = 0.0
        self.page = page
        self.bytes = page.bytes
        self.words = page.words
        self.connection = connection
        self.counters = counters
        #: Jobs of the chunk that are done.
        self.finished = 0
        #: When the last one was, and when a pause is due.
        self.now = self.due = 0.0
        #: Where the next result goes: behind the others, and the place of their run's header.
        self.end = Page.REGION

    def begin(self, chunk, maximum):
        """`maximum`: bytes that a result may have."""
        self.page.seconds[STARTED] = 0.0
        self.chunk = chunk
        self.maximum = maximum
        self.finished = 0
        self._restart()
        self.now = self.sent = monotonic()
        self.mark()

    def pause_soon(self):
        self.due = 0.0

    def mark(self):
        """Takes down what the process has used by now: a death certificate tells what was used since."""
        if self.now - self.marked < self.MARK_INTERVAL:
            return
        self.marked = self.now
        tell_kernel("/proc/self/clear_refs", b"5")  # The largest resident size is measured anew.
        self.used, _ = self.resources()
        # The time first, and in `evidence` last: what the server reads in between is shown twice rather than not at all.
        now, unread = monotonic_ns(), self.unread()
        self.words[USED], self.words[UNREAD], self.words[MARKED] = int(self.used * 1e9), unread, now

    def evidence(self):
        """What the running job, which has failed, has used and written since the baseline."""
        used, peak = self.resources()
        unread, now = self.unread(), monotonic_ns()
        words = self.words
        return EVIDENCE.pack(
            1, self.connection.process, -1, 0, max(0.0, used - self.used), peak, max(0.0, monotonic() - self.now),
            words[MARKED], words[UNREAD], now, unread,
        )

    @staticmethod
    def resources():
        """Seconds of processor time of this process and of children that it has waited for, and its peak memory in bytes."""
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, own.ru_maxrss * 1024

    @staticmethod
    def unread():
        """Bytes on standard error that the server has not read yet."""
        try:
            return max(0, struct.unpack("i", fcntl.ioctl(2, termios.FIONREAD, bytes(4)))[0])
        except OSError:
            return 0

    def note(self, finished, now, end):
        """How far the loop of the jobs is, which keeps results itself as long as they fit behind each other."""
        self.finished, self.now, self.end = finished, now, end

    def keep(self, outcome):
        """Any other outcome: a failure, or a result with a comma behind it that is too large."""
        if type(outcome) is bytes:
            self._succeeded_large(outcome)
        else:
            self.failed(outcome)

    def _succeeded_large(self, result):
        size = len(result) - 1
        if size > self.maximum:
            sentence = f"the result has {size} bytes, {self.maximum} are allowed"
            return self.failed(failure(OUTPUT_LIMIT, sentence))
        self.send()
        run = struct.pack("<BII", 1, 1, size) + memoryview(result)[:-1]
        if len(run) > self.ROOM:
            self.connection.send(self._framed(run))
            self.finished += 1
            self._restart()
        else:
            self._append_run(run)
        self.now = monotonic()

    def failed(self, body):
        body += self.evidence()
        self.end_part()
        run = struct.pack("<BII", 2, 1, len(body)) + body
        if self.closed + len(run) > self.ROOM:
            self.send()
        self._append_run(run)
        self.now = monotonic()

    def end_part(self):
        """A run does not go across parts."""
        results = self.finished - self.opened
        if results:
            start = Page.REGION + self.closed
            length = self.end - 1 - start - self.HEADER
            self.bytes[start : start + self.HEADER] = struct.pack("<BII", 1, results, length)
            self._commit_closed(self.closed + self.HEADER + length)

    def send(self, more=b""):
        # A server that is slow to receive is not the job's fault, neither the last one's nor the next one's.
        self.page.seconds[STARTED] = 0.0
        self.counters.flush()
        self.end_part()
        if self.closed:
            more = self._framed(self.bytes[Page.REGION : Page.REGION + self.closed]) + more
        if more:
            self.connection.send(more)
        # What was sent leaves the page only afterwards: the server finds it in one place or in both.
        self._restart()
        self.now = self.sent = monotonic()

    def end_chunk(self, busy):
        self.send(frame(2, struct.pack("<Qd", self.chunk, busy)))

    def _framed(self, runs):
        return frame(1, struct.pack("<QQ", self.chunk, self.words[FIRST]), runs)

    def _append_run(self, run):
        """That of one job."""
        start = Page.REGION + self.closed
        self.words[COMMIT] = self.closed  # Until it stands there as a whole, nobody looks for results in it.
        self.bytes[start : start + len(run)] = run
        self.finished += 1
        self._commit_closed(self.closed + len(run))

    def _commit_closed(self, closed):
        self.closed = closed
        #: As many jobs were finished when the open run began.
        self.opened = self.finished
        self.end = Page.REGION + closed + self.HEADER
        self.words[COMMIT] = closed + UNCOUNTED

    def _restart(self):
        # Odd while it happens: the server may read the page of a worker that runs.
        self.words[GENERATION] += 1
        self.words[COMMIT] = 0
        used = min(self.end, PAGE_SIZE)
        self.bytes[Page.REGION : used] = bytes(used - Page.REGION)
        self.words[FIRST] = self.finished
        self.words[CHUNK] = self.chunk
        self._commit_closed(0)
        self.words[GENERATION] += 1


# MARK: What a function sees of its job

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Part:
    """Consecutive jobs of one batch, on the same attempt."""

    def __init__(self, fields, position):
        #: Of the first of them, in the chunk.
        self.position = position
        high, low, self.first, self.count, self.attempt = fields.take("QQQII")
        self.batch = high << 64 | low
        self.traceparent = fields.text() or None
        self.input = fields.text()

    @functools.cached_property
    def ulid(self):
        return "".join(DIGITS[self.batch >> shift & 31] for shift in range(125, -1, -5))


class Context:
    """The job that a function runs for: what it is, and what there is to say about it while it runs."""

    __slots__ = ("_worker", "_part", "_started", "index", "attempt", "traceparent")

    def __init__(self, worker, part):
        self._worker = worker
        self._part = part
        self._started = worker.page.seconds[STARTED]
        self.index = part.first + worker.page.words[POSITION] - part.position
        self.attempt = part.attempt
        self.traceparent = part.traceparent

    @property
    def batch_id(self):
        return f"bat_{self._part.ulid}"

    @property
    def job_id(self):
        return f"job_{self._part.ulid}_{self.index}"

    @property
    def deadline(self):
        """When the job's time is up, as `time.monotonic()` tells it; None if it may take as long as it likes."""
        return self._started + self._worker.timeout if self._worker.timeout else None

    @property
    def remaining(self):
        """Seconds until the deadline, or None."""
        return max(0.0, self.deadline - time.monotonic()) if self._worker.timeout else None

    @property
    def shared(self):
        """What the batch gives to all of its jobs; decoded once in each worker, so do not change it."""
        return self._worker.shared_value(self._part.batch)

    @property
    def logger(self):
        return self._worker.logger

    @property
    def cancelled(self):
        """Whether the job is to stop. A function that looks here gets the time to do so; any other just ends."""
        return self._worker.watch_cancellation()

    def progress(self, fraction=None, message=None):
        """How far the job is, from 0 to 1, and a few words about it."""
        if self._may_speak():
            self._worker.progress(fraction, message)

    def add(self, name, amount=1):
        """Adds to one of the batch's counters."""
        if self._may_speak():
            self._worker.counters.add(name, amount)

    def _may_speak(self):
        if "forked" in UNUSUAL:
            raise RuntimeError("this is a child of the process that has the job; only that one speaks for it")
        # A thread that has outlived its job does not speak for another one.
        return self._worker.context is self


class LogHandler(logging.Handler):
    """Sends records as what the running job logged; prints those of threads and children that belong to none."""

    def __init__(self, worker):
        super().__init__()
        self.worker = worker

    def emit(self, record):
        try:
            level = min(max(record.levelno // 10 - 1, 0), 3)
            text = self.format(record)
            if not self.worker.say(4, bytes([level]) + field(text, 4096)):
                print(text, file=sys.stderr)
        except Exception:
            self.handleError(record)


# MARK: The worker


class Limits:
    """The kernel's limits that a handler's jobs have."""

    def __init__(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.usual = {which: resource.getrlimit(which) for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)}
        self.now = {which: soft for which, (soft, _) in self.usual.items()}

    def begin_chunk(self, open_files):
        self._set(resource.RLIMIT_NOFILE, open_files or self.usual[resource.RLIMIT_NOFILE][0])
        self._set(resource.RLIMIT_CPU, self.usual[resource.RLIMIT_CPU][0])

    def allow_cpu(self, seconds):
        """From now on. The kernel counts whole seconds, and kills with SIGXCPU."""
        self._set(resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds))

    def _set(self, which, soft):
        hard = self.usual[which][1]
        if hard != resource.RLIM_INFINITY:
            soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
        if soft != self.now[which]:
            resource.setrlimit(which, (soft, hard))
            self.now[which] = soft


def progress_of(said):
    """What a generator has yielded, as the arguments of `progress`."""
    if isinstance(said, dict):
        for key in said:
            if key not in ("fraction", "message"):
                raise TypeError(f"progress has a fraction and a message, the generator has yielded a dict with {key!r}")
        return {"fraction": None, "message": None, **said}
    if isinstance(said, tuple) and len(said) == 2:
        return dict(zip(("fraction", "message"), said))
    return {"fraction": None, "message": said} if isinstance(said, str) else {"fraction": said, "message": None}


class Worker:
    """Runs chunks, one at a time, until the server closes the socket."""

    SHARED_VALUES = 4
    #: In seconds.
    PAUSE_INTERVAL = 0.001
    PROGRESS_INTERVAL = 0.1
    LATER = frozenset((types.CoroutineType, types.GeneratorType))

    def __init__(self, connection, page, handlers):
        self.connection = connection
        self.page = page
        self.handlers = {handler.name: handler for handler in handlers}
        self.counters = Counters(page, connection)
        self.outcomes = Outcomes(page, connection, self.counters)
        self.limits = Limits()
        self.encoder = Encoder()
        self.loop = None
        self.shared = collections.OrderedDict()
        #: Of the job that runs, if its function takes one.
        self.context = None
        self.timeout = 0.0
        self.is_retiring = False
        #: Progress that was not sent yet, and when some was.
        self.progress_content, self.progress_sent = b"", 0.0
        os.register_at_fork(after_in_child=self.disown_child)

    @functools.cached_property
    def logger(self):
        logger = logging.Logger("jobmill", logging.DEBUG)
        logger.addHandler(LogHandler(self))
        return logger

    def prepare(self):
        """The step of each worker; False if it has failed, which the server knows then."""
        for name, initializer in {h.initializer for h in self.handlers.values() if h.initializer}:
            try:
                initializer()
            except BaseException as error:
                self.connection.send(frame(7, field(explained(f"the initializer {name} failed", error), 2048)))
                return False
        self.connection.send(READY)
        return True

    def run(self):
        while True:
            message = self.connection.receive()
            if message is None:
                return
            fields = Fields(message)
            kind = fields.take("B")
            if kind == 1:
                self.run_chunk(fields)
            elif kind == 2:
                self.keep_shared(fields)
            else:
                raise ValueError(f"a frame of the unknown kind {kind}")

    def run_chunk(self, fields):
        begin = time.monotonic()
        chunk, name = fields.take("Q"), fields.text()
        self.timeout, cpu_seconds, open_files, maximum, count = fields.take("ddIQI")
        self.limits.begin_chunk(open_files)
        self.outcomes.begin(chunk, maximum)
        for _ in range(count):
            part = Part(fields, self.outcomes.finished)
            self.counters.begin_part(part.position)
            self.run_part(part, name, cpu_seconds)
            self.outcomes.end_part()
            self.counters.flush()
            if self.is_recalled():
                break  # What was not begun goes back to the server.
            if self.outcomes.finished != part.position + part.count:
                raise ValueError(f"a part of {part.count} jobs has another number of payloads")
        self.outcomes.end_chunk(time.monotonic() - begin)

    def run_part(self, part, name, cpu_seconds):
        handler = self.handlers.get(name)
        if handler is None or handler.problem:
            return self.refuse_part(part, name, handler)
        call = handler.call
        try:
            # All payloads at once: several times as fast as one by one.
            payloads = json.loads(f"[{part.input}]")
        except (ValueError, RecursionError, MemoryError):
            # Python cannot take one of them, such as a number of 5,000 digits. That one job fails.
            payloads = split(part.input)
            call = lambda text, *context: handler.call(json.loads(text), *context)
        if self.is_recalled():
            return
        if handler.wants_context:
            call = self.with_context(call, part)
        self.run_jobs(part.position, payloads, call, handler.wants_context, cpu_seconds)

    def with_context(self, function, part):
        def call(payload):
            self.context = context = Context(self, part)
            return function(payload, context)

        return call

    def run_jobs(self, first, payloads, call, has_context, cpu_seconds):
        """Runs one job after the other and keeps each outcome before the next begins. A result is JSON with a comma behind it."""
        outcomes, later, unusual, clock = self.outcomes, self.LATER, UNUSUAL, monotonic
        words, seconds, page = self.page.words, self.page.seconds, self.page.bytes
        encoder_for, encode_any, shape_of = self.encoder.for_type.get, self.encoder.encode_any, self.encoder.shapes.get
        # In variables, as this runs for each of many short jobs; written back before anything else looks at them.
        finished, now, end, maximum = first, outcomes.now, outcomes.end, outcomes.maximum
        for payload in payloads:
            if cpu_seconds:
                self.limits.allow_cpu(cpu_seconds)
            # In this order a reader never charges a job with the time of the one before it.
            seconds[STARTED] = now
            words[POSITION] = finished
            try:
                value = call(payload)
                kind = type(value)
                if kind is not dict and kind in later:
                    value = self.settle(value)
                    kind = type(value)
            except BaseException as error:
                outcome, size = exception(error), INFINITE
                outcomes.pause_soon()  # Perhaps because of what a job before it has closed.
            else:
                try:
                    shape = shape_of(tuple(value)) if kind is dict else None
                    text = shape(value) if shape else encoder_for(kind, encode_any)(value) + ","
                    outcome = text.encode()
                    size = len(outcome)
                    if size > HARMLESS:
                        check_range(outcome)
                except BaseException as error:
                    outcome, size = failure(INVALID_RESULT, f"the result is no JSON: {error}"), INFINITE
            if has_context:
                self.context = None  # Before what it has left is dealt with: nothing is added behind that.
            if unusual:
                self.tidy()
            # With the comma: a result of just the maximum goes the other way, and is taken there.
            if size <= maximum and end + size <= PAGE_SIZE:
                page[end : end + size] = outcome
                end += size
                finished += 1
                now = clock()
                if now <= outcomes.due:
                    continue
                outcomes.note(finished, now, end)
            else:
                outcomes.note(finished, now, end)
                outcomes.keep(outcome)
            if outcomes.now > outcomes.due and not self.pause():
                return
            finished, now, end = outcomes.finished, outcomes.now, outcomes.end
        outcomes.note(finished, now, end)

    def is_recalled(self):
        return self.page.words[RECALLED] == self.outcomes.chunk

    def refuse_part(self, part, name, handler):
        reason = handler.problem if handler else "it is not registered"
        for _ in range(part.count):
            self.outcomes.failed(failure(UNKNOWN_HANDLER, f"the handler {name} cannot run: {reason}"))

    def settle(self, value):
        """What a coroutine or a generator ends with."""
        if isinstance(value, types.CoroutineType):
            if self.loop is None or self.loop.is_closed():
                self.loop = asyncio.new_event_loop()
                asyncio.set_event_loop(self.loop)
            return self.loop.run_until_complete(value)
        try:
            while True:
                self.progress(**progress_of(next(value)))
        except StopIteration as end:
            return end.value

    def tidy(self):
        """Deals with what was unusual about a job, before its outcome is kept."""
        if "forked" in UNUSUAL:
            os._exit(0)  # This is a child of the job, and its outcome does not count.
        if "reported" in UNUSUAL:
            self.send_progress()
            self.progress_sent = 0.0
        if "watched" in UNUSUAL:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if "printed" in UNUSUAL:
            try:
                sys.__stdout__.flush()
                sys.__stderr__.flush()
            except (OSError, ValueError):
                self.retire()
        UNUSUAL.clear()

    def disown_child(self):
        """In a process that a job has forked. Its ways are its own until it comes back here."""
        UNUSUAL.add("forked")
        if "watched" in UNUSUAL:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def retire(self, *_):
        """No further job after this one. The chunk's others go on in another worker, at no cost."""
        self.is_retiring = True
        self.outcomes.pause_soon()

    def pause(self):
        """What is done between two jobs from time to time, because it is too expensive for each of many short ones. Returns
        whether the chunk goes on."""
        try:
            # What a job has closed its successors cannot print to.
            os.fstat(1)
            os.fstat(2)
        except OSError:
            self.retire()
        if self.is_retiring:
            self.outcomes.send()
            os._exit(0)
        if self.outcomes.now - self.outcomes.sent > Outcomes.INTERVAL:
            self.outcomes.send()
        self.outcomes.mark()
        self.outcomes.due = self.outcomes.now + self.PAUSE_INTERVAL
        return not self.is_recalled()

    def watch_cancellation(self):
        if "watched" not in UNUSUAL and threading.current_thread() is threading.main_thread():
            UNUSUAL.add("watched")
            signal.signal(signal.SIGTERM, self.retire)
        return self.is_retiring

    def progress(self, fraction, message):
        if isinstance(fraction, bool) or not isinstance(fraction, (int, float, type(None))):
            raise TypeError(f"progress is a number from 0 to 1, not a value of type {type_name(type(fraction))}")
        if not isinstance(message, (str, type(None))):
            raise TypeError(f"progress has a text as its message, not a value of type {type_name(type(message))}")
        number = math.nan if fraction is None else min(max(float(fraction), 0.0), 1.0)
        self.progress_content = struct.pack("<d", number) + field(message or "", 1024)
        UNUSUAL.add("reported")
        if monotonic() - self.progress_sent > self.PROGRESS_INTERVAL:
            self.send_progress()

    def send_progress(self):
        if self.progress_content:
            self.say(3, self.progress_content)
            self.progress_content, self.progress_sent = b"", monotonic()

    def say(self, kind, content):
        """Sends what belongs to the running job; False if there is none in this process."""
        words = self.page.words
        with self.connection.lock:
            if "forked" in UNUSUAL or not words[STARTED]:
                return False
            self.connection.send(frame(kind, struct.pack("<QQ", words[CHUNK], words[POSITION]), content))
            return True

    def keep_shared(self, fields):
        high, low = fields.take("QQ")
        batch = high << 64 | low
        self.shared.pop(batch, None)
        self.shared[batch] = functools.lru_cache(functools.partial(json.loads, fields.rest()))
        while len(self.shared) > self.SHARED_VALUES:
            self.shared.popitem(last=False)

    def shared_value(self, batch):
        decode = self.shared.get(batch)
        return decode and decode()


# MARK: The zygote


def thread_count():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def refuse_threads(patience=0.0):
    """A process with threads cannot be forked safely: what one of them has locked stays locked in the child."""
    # One that was joined has ended for Python a moment before it has ended.
    deadline = time.monotonic() + patience
    while thread_count() > 1:
        names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        if names or time.monotonic() > deadline:
            culprits = ", ".join(names) or "those of a library"
            raise RuntimeError(
                f"it has started threads ({culprits}); start them in an initializer, which runs in each worker"
            )
        time.sleep(0.01)


class Zygote:
    """Prepares the module, forks workers, reaps them."""

    def __init__(self, channel, setup):
        self.channel = channel
        self.setup = setup
        self.handlers = []
        self.workers = set()
        self.helpers = set()

    def run(self, server):
        set_process_name(b"jobmill-zygote")
        self.ignore_signals()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            self.report(2, field("the interpreter is a program that starts another one; it has to become it (exec)", 2048))
            return
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            self.prepare()
        except BaseException as error:
            reason = explained(f"the module {self.setup['module']} cannot be prepared", error)
            self.report(2, field(reason, 2048))
            return
        self.ignore_signals()
        # The server may replace the thread that has started this process. The channel's end tells that it is gone.
        prctl(PR_SET_PDEATHSIG, 0)
        self.wake_up, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.own = [self.channel.fileno(), self.wake_up, wakes]
        # What a worker undoes. Looked for once, as asking for each signal takes longer than a fork.
        self.handled = [number for number in signal.valid_signals() if self.is_handled(number)]
        self.has_steps = any(handler.initializer for handler in self.handlers)
        # What is there now is never collected, so the collector does not touch it and its memory stays shared.
        gc.collect()
        gc.freeze()
        try:
            self.report_ready()
            self.serve()
        except ConnectionError:
            pass  # The server is gone.
        self.end()

    @staticmethod
    def is_handled(number):
        """Whether this process does with a signal what a worker must not. Python ignores two of them, and so shall workers."""
        return number not in (signal.SIGPIPE, signal.SIGXFSZ) and signal.getsignal(number) != signal.SIG_DFL

    def report_ready(self):
        problems = [(h.name, h.problem) for h in self.handlers if h.problem][:256]
        room = min(2048, 65_000 // max(1, len(problems)) - 136)
        texts = [field(name, 128) + field(reason, room) for name, reason in problems]
        self.report(1, struct.pack("<I", len(problems)), *texts)

    def prepare(self):
        folder = os.path.abspath(self.setup.get("folder") or ".")
        os.chdir(folder)
        sys.path.insert(0, folder)
        for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
            # There is a worker for each processor already.
            os.environ.setdefault(f"{library}_NUM_THREADS", "1")
        module = importlib.import_module(self.setup["module"])
        self.handlers = [Handler(specification, module) for specification in self.setup["handlers"]]
        self.helpers = self.children()
        refuse_threads(patience=1.0)
        sys.stdout.flush()

    def serve(self):
        """Returns when the server has closed the channel."""
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        poll.register(self.wake_up, select.POLLIN)
        while True:
            for number, _ in poll.poll():
                if number == self.wake_up:
                    os.read(self.wake_up, 512)
                    self.reap()
                    continue
                message, descriptors, _, _ = socket.recv_fds(self.channel, 64, 8)
                if not message:
                    return
                for descriptor in descriptors:
                    os.set_inheritable(descriptor, False)
                fields = Fields(message)
                if fields.take("B") != 1 or len(descriptors) != 4:
                    raise ValueError("the server asks for something unknown")
                self.fork(fields.take("I"), descriptors)

    def fork(self, worker, descriptors):
        zygote = os.getpid()
        # No signal may hit the child while it still has the zygote's handlers.
        unblocked = set_signal_mask(signal.SIG_BLOCK, self.handled)
        try:
            refuse_threads()
            process = os.fork()
            if process == 0:
                self.become_worker(zygote, *descriptors)
        except (RuntimeError, OSError, MemoryError) as error:
            self.report(4, struct.pack("<I", worker), field(message_of(error), 2048))
        else:
            self.workers.add(process)
            # The worker does the same: whoever comes first, no signal to the group is lost.
            attempt(os.setpgid, process, process)
            self.report(3, struct.pack("<Ii", worker, process))
        finally:
            set_signal_mask(signal.SIG_SETMASK, unblocked)
            for descriptor in descriptors:
                os.close(descriptor)

    def become_worker(self, zygote, connection, page, output, errors):
        """In the child; does not return."""
        code = 70
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for number in self.handled:
                set_signal_handler(number, signal.SIG_DFL)
            set_signal_mask(signal.SIG_SETMASK, ())
            os.dup2(output, 1)
            os.dup2(errors, 2)
            shared = Page(page)
            if not self.has_steps:
                os.write(connection, READY)  # What follows cannot fail, and takes no longer than the server's answer.
            set_process_name(b"jobmill-worker")
            # Only what is the zygote's: the module may have opened files that its functions use.
            for descriptor in (*self.own, page, output, errors):
                os.close(descriptor)
            faulthandler.enable(file=2, all_threads=False)
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            worker = Worker(Connection(out_of_the_way(connection)), shared, self.handlers)
            if os.getppid() == zygote and (not self.has_steps or worker.prepare()):
                worker.run()
            code = 0
        except (BrokenPipeError, ConnectionResetError):
            code = 0  # The server is gone.
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def reap(self):
        """Reaps all who have ended, with what is left of their process groups."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            # Before its number can be somebody else's.
            attempt(os.killpg, ended.si_pid, signal.SIGKILL)
            process, status, usage = os.wait4(ended.si_pid, 0)
            # What descendants of workers have left behind has become this process's.
            for stranger in self.children() - self.workers - self.helpers:
                attempt(os.kill, stranger, signal.SIGKILL)
            if process in self.workers:
                self.workers.remove(process)
                code = os.waitstatus_to_exitcode(status)
                cpu = usage.ru_utime + usage.ru_stime
                ending = struct.pack("<iiidq", process, max(code, -1), max(-code, 0), cpu, usage.ru_maxrss * 1024)
                self.report(5, ending)

    def end(self):
        """Ends all children. What they leave behind becomes this process's, so it takes rounds."""
        while True:
            for process in self.workers:
                attempt(os.killpg, process, signal.SIGKILL)
            for process in self.children():
                attempt(os.kill, process, signal.SIGKILL)
            if not self.workers and not self.children():
                return
            process, _ = os.wait()
            self.workers.discard(process)

    def children(self):
        process = os.getpid()
        try:
            with open(f"/proc/self/task/{process}/children") as file:
                return set(map(int, file.read().split()))
        except OSError:
            return set()

    def ignore_signals(self):
        # Who wants to stop the service stops the server.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)

    def report(self, kind, *fields):
        self.channel.sendall(b"".join((bytes([kind]), *fields)))


def attempt(function, process, argument):
    """For what is of no interest if the process has gone meanwhile."""
    try:
        function(process, argument)
    except OSError:
        pass


def main(channel, setup):
    """What the bootstrap calls: it has received the setup, with this source in it."""
    linecache.cache[FILE] = (0, None, setup.pop("source").splitlines(True), FILE)
    code = 1
    try:
        for name in ("stdout", "stderr"):
            stream = Output(getattr(sys, name).detach(), "utf-8", "backslashreplace", line_buffering=True)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        server = int(sys.argv[-1])
        sys.argv = [setup["module"]]
        Zygote(channel, setup).run(server)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
