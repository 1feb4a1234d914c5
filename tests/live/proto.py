"""Reads profile.proto with nothing but the standard library.

A second reader on purpose: what libpprof writes is judged here by code that shares nothing with its writer.
Source: profile.proto, fields 1-14.
"""
import gzip
from collections import namedtuple

Sample = namedtuple("Sample", "location_ids values labels")
Mapping = namedtuple("Mapping", "start limit offset file build_id")
Location = namedtuple("Location", "mapping_id address names")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(data):
    """(number, value) of each field: an int, or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise ValueError("a field passes the end")
        elif kind == 1:
            value, at = int.from_bytes(data[at:at + 8], "little"), at + 8
        else:
            raise ValueError(f"wire type {kind}")
        yield number, value


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def numbers(value):
    """A repeated integer field: packed bytes or one number."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        found.append(number)
    return found


class Profile:
    """One decoded profile: types [(type, unit)], samples, mappings and locations by id, comments."""

    def __init__(self, data):
        self.raw_size = len(data)
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        parts = {number: [] for number in range(1, 16)}
        for number, value in fields(data):
            parts.setdefault(number, []).append(value)
        self.strings = [bytes(s).decode("utf-8", "replace") for s in parts[6]]
        if not self.strings or self.strings[0] != "":
            raise ValueError("string 0 is not empty")
        functions = {}
        for value in parts[5]:
            f = dict(fields(value))
            functions[f[1]] = self.strings[f.get(2, 0)]
        self.types = [self.value_type(v) for v in parts[1]]
        self.mappings = {m.get(1): Mapping(m.get(2, 0), m.get(3, 0), m.get(4, 0), self.strings[m.get(5, 0)],
                                           self.strings[m.get(6, 0)]) for m in (dict(fields(v)) for v in parts[3])}
        self.locations = dict(self.location(v, functions) for v in parts[4])
        self.samples = [self.sample(v) for v in parts[2]]
        self.time_nanos = parts[9][-1] if parts[9] else 0
        self.duration_nanos = parts[10][-1] if parts[10] else 0
        self.period_type = self.value_type(parts[11][-1]) if parts[11] else None
        self.period = parts[12][-1] if parts[12] else 0
        self.comments = [self.strings[i] for value in parts[13] for i in numbers(value)]
        self.default_type = self.strings[parts[14][-1]] if parts[14] else ""

    def value_type(self, data):
        f = dict(fields(data))
        return self.strings[f.get(1, 0)], self.strings[f.get(2, 0)]

    def location(self, data, functions):
        ident = mapping = address = 0
        names = []
        for number, value in fields(data):
            if number == 1:
                ident = value
            elif number == 2:
                mapping = value
            elif number == 3:
                address = value
            elif number == 4:
                names.append(functions[dict(fields(value)).get(1, 0)])
        return ident, Location(mapping, address, names)

    def sample(self, data):
        ids, values, labels = [], [], {}
        for number, value in fields(data):
            if number == 1:
                ids += numbers(value)
            elif number == 2:
                values += [signed(n) for n in numbers(value)]
            elif number == 3:
                f = dict(fields(value))
                labels[self.strings[f.get(1, 0)]] = self.strings[f[2]] if 2 in f else signed(f.get(3, 0))
        if len(values) != len(self.types):
            raise ValueError(f"a sample of {len(values)} values in a profile of {len(self.types)} types")
        return Sample(ids, values, labels)

    def total(self, type_i=0):
        return sum(s.values[type_i] for s in self.samples)

    def names(self, sample):
        """Function names of a sample, leaf first."""
        return [name for i in sample.location_ids for name in self.locations[i].names]

    def weight_by_function(self, type_i=0):
        """Cumulative weight of each function."""
        weights = {}
        for s in self.samples:
            for name in set(self.names(s)):
                weights[name] = weights.get(name, 0) + s.values[type_i]
        return weights
