// reader - Go's x/mod/sumdb (tlog, note) reads the log that maker.c made, and says of each thing whether it holds.
//
// usage: reader FOLDER          all of it
//
//	reader FOLDER NOTE     how many of the witnesses cosigned this note
//
// The tiles of sumdb are those of C2SP tlog-tiles under another name: `tile/8/0/x001/234` (8 is the height) is `tile/0/x001/234`,
// and a bundle of entries is not sumdb's `tile/8/data/...`, which has no lengths.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func words(name string) [][]string {
	var all [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(file(name))), "\n") {
		all = append(all, strings.Fields(line))
	}
	return all
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// entriesOf takes a bundle of C2SP tlog-tiles apart.
func entriesOf(bundle []byte) ([][]byte, error) {
	var all [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, fmt.Errorf("the bundle is cut")
		}
		length := int(binary.BigEndian.Uint16(bundle))
		all = append(all, bundle[2:2+length])
		bundle = bundle[2+length:]
	}
	return all, nil
}

func bundleName(n int64, width int) string {
	tile := tlog.Tile{H: height, L: 0, N: n, W: width}
	return "log/tile/entries" + strings.TrimPrefix(tile.Path(), "tile/8/0")
}

// tiles reads our files; at `flip` it changes one bit of what it reads.
type tiles struct {
	cache      map[string][]byte
	flipPath   string
	flipOffset int
	flipped    bool
}

func (t *tiles) Height() int { return height }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		name := "log/tile" + strings.TrimPrefix(tile.Path(), "tile/8")
		data := t.cache[name]
		if data == nil {
			var err error
			if data, err = os.ReadFile(filepath.Join(folder, name)); err != nil {
				return nil, err
			}
			t.cache[name] = data
		}
		if name == t.flipPath {
			data = append([]byte(nil), data...)
			data[t.flipOffset] ^= 1
			t.flipped = true
		}
		all = append(all, data)
	}
	return all, nil
}

// stored is sumdb's own storage of all hashes, filled from the entries alone.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		all[i] = s[index]
	}
	return all, nil
}

// everySize compares root and signature at each size with what sumdb makes of the entries.
func everySize(log note.Verifier) ([]tlog.Hash, [][]byte) {
	reader := bufio.NewReader(bytes.NewReader(file("checkpoints")))
	roots := []tlog.Hash{{}}
	var entries [][]byte
	var hashes stored
	var length uint32
	var err error
	for binary.Read(reader, binary.BigEndian, &length) == nil && err == nil {
		size := int64(len(roots))
		message := make([]byte, length)
		io.ReadFull(reader, message)
		tree, failed := checkpoint(message, log)
		if failed != nil || tree.N != size {
			err = fmt.Errorf("checkpoint %d: size %d, %v", size, tree.N, failed)
		}
		roots = append(roots, tree.Hash)
	}
	count := int64(len(roots)) - 1
	claim(err, "note: the checkpoints of %d sizes are signed by %s", count, log.Name())
	err = nil
	for n := int64(0); n*256 < count; n++ {
		width := 256
		if count-n*256 < 256 {
			width = int(count - n*256)
		}
		some, failed := entriesOf(file(bundleName(n, width)))
		if failed != nil || len(some) != width {
			err = fmt.Errorf("bundle %d: %d entries, %v", n, len(some), failed)
		}
		entries = append(entries, some...)
	}
	claim(err, "%d entries are in the bundles", len(entries))
	err = nil
	for i := int64(0); i < count && err == nil; i++ {
		more, failed := tlog.StoredHashes(i, entries[i], hashes)
		hashes = append(hashes, more...)
		root, failedToo := tlog.TreeHash(i+1, hashes)
		if failed != nil || failedToo != nil || root != roots[i+1] || string(entries[i]) != fmt.Sprintf("entry %d", i) {
			err = fmt.Errorf("size %d: root %v, not %v (%v %v)", i+1, roots[i+1], root, failed, failedToo)
		}
	}
	claim(err, "tlog: the root is the same at each of %d sizes", count)
	return roots, entries
}

// fromTiles lets sumdb make and check its own proofs out of our tiles, each of which it authenticates.
func fromTiles(roots []tlog.Hash, entries [][]byte) {
	reader := &tiles{cache: map[string][]byte{}}
	var err error
	proofs, sizes := 0, words("sizes")
	for _, word := range sizes {
		size := number(word[0])
		hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: roots[size]}, reader)
		for _, n := range []int64{0, size / 3, size / 2, size - 1, size * 31337 % size} {
			record, failed := tlog.ProveRecord(size, n, hashes)
			if failed == nil {
				failed = tlog.CheckRecord(record, size, roots[size], n, tlog.RecordHash(entries[n]))
			}
			growth, failedToo := tlog.ProveTree(size, n+1, hashes)
			if failedToo == nil {
				failedToo = tlog.CheckTree(growth, size, roots[size], n+1, roots[n+1])
			}
			if failed != nil || failedToo != nil {
				err = fmt.Errorf("size %d, entry %d: %v %v", size, n, failed, failedToo)
			}
			proofs += 2
		}
		if width := int(size % 256); width != 0 {
			some, failed := entriesOf(file(bundleName(size/256, width)))
			if failed != nil || len(some) != width || !bytes.Equal(some[width-1], entries[size-1]) {
				err = fmt.Errorf("the last bundle of size %d: %v", size, failed)
			}
		}
	}
	claim(err, "tlog: %d proofs from our tiles, at %d sizes", proofs, len(sizes))
}

func hashesOf(texts []string) []tlog.Hash {
	all := []tlog.Hash{}
	for _, text := range texts {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			panic(err)
		}
		all = append(all, hash)
	}
	return all
}

func ourProofs(roots []tlog.Hash, entries [][]byte) {
	var err error
	lines := words("proofs")
	for _, line := range lines {
		size, other, proof := number(line[1]), number(line[2]), hashesOf(line[3:])
		var failed error
		if line[0] == "record" {
			failed = tlog.CheckRecord(proof, size, roots[size], other, tlog.RecordHash(entries[other]))
		} else {
			failed = tlog.CheckTree(proof, size, roots[size], other, roots[other])
		}
		if failed != nil {
			err = fmt.Errorf("%v: %v", line[:3], failed)
		}
	}
	claim(err, "tlog: %d proofs of ours", len(lines))
}

// flips changes each byte of each file of a log of 257, one at a time, and then of 300. sumdb finds the first when it reads; of the second
// sumdb 0.7.0 passes over full tiles when it reads (it takes the count of the tree's peaks for the count of their tiles), and finds them
// when it checks the proof.
func flips(roots []tlog.Hash, entries [][]byte, log note.Verifier) {
	var err error
	cache, count := map[string][]byte{}, 0
	for _, file := range []struct {
		name               string
		size, from, length int
	}{
		{"log/tile/0/000", 257, 0, 8192}, {"log/tile/0/001.p/1", 257, 256, 32}, {"log/tile/1/000.p/1", 257, 0, 32},
		{"log/tile/0/000", 300, 0, 8192}, {"log/tile/0/001.p/44", 300, 256, 44 * 32}, {"log/tile/1/000.p/1", 300, 256, 32},
	} {
		for offset := 0; offset < file.length; offset++ {
			size, n := int64(file.size), int64(file.from+offset/32)
			reader := &tiles{cache: cache, flipPath: file.name, flipOffset: offset}
			hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: roots[size]}, reader)
			_, failed := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
			if failed == nil && size == 300 {
				var proof tlog.RecordProof
				if proof, failed = tlog.ProveRecord(size, n^1, hashes); failed == nil {
					failed = tlog.CheckRecord(proof, size, roots[size], n^1, tlog.RecordHash(entries[n^1]))
				}
			}
			if failed == nil || !reader.flipped {
				err = fmt.Errorf("size %d, %s, byte %d", size, file.name, offset)
			}
			count++
		}
	}
	claim(err, "tlog finds each of %d changed bytes of tiles", count)
	err, count = nil, 0
	for n, width := range []int{256, 44} {
		bundle := file(bundleName(int64(n), width))
		honest, _ := entriesOf(bundle)
		for offset := range bundle {
			bundle[offset] ^= 1
			some, failed := entriesOf(bundle)
			same := failed == nil && len(some) == width
			for i := 0; same && i < width; i++ {
				same = tlog.RecordHash(some[i]) == tlog.RecordHash([]byte(fmt.Sprintf("entry %d", n*256+i)))
			}
			if same || len(honest) != width {
				err = fmt.Errorf("bundle %d, byte %d", n, offset)
			}
			bundle[offset] ^= 1
			count++
		}
	}
	claim(err, "each of %d changed bytes of entries has another hash", count)
	err, count = nil, 0
	message := file("one")
	for offset := 0; offset < bytes.Index(message, []byte("\n\n")); offset++ {
		message[offset] ^= 1
		if _, failed := checkpoint(message, log); failed == nil {
			err = fmt.Errorf("byte %d", offset)
		}
		message[offset] ^= 1
		count++
	}
	claim(err, "note finds each of %d changed bytes of a checkpoint", count)
}

func readWitnesses() []note.Verifier {
	var all []note.Verifier
	for _, line := range words("witness.vkeys") {
		part := strings.SplitN(line[0], "+", 3)
		key, err := base64.StdEncoding.DecodeString(part[2])
		if err != nil || len(key) != 33 || key[0] != 4 {
			panic("not the key of a witness")
		}
		w := witness{part[0], key[1:]}
		if fmt.Sprintf("%08x", w.KeyHash()) != part[1] {
			panic("not the id of a witness")
		}
		all = append(all, w)
	}
	return all
}

// cosigned counts the witnesses of a note.
func cosigned(message []byte, witnesses []note.Verifier) int {
	opened, err := note.Open(message, note.VerifierList(witnesses...))
	if err != nil {
		return 0
	}
	return len(opened.Sigs)
}

func want(got, wanted int) error {
	if got != wanted {
		return fmt.Errorf("%d, not %d", got, wanted)
	}
	return nil
}

func fork(log note.Verifier, witnesses []note.Verifier) {
	one, failed := checkpoint(file("one"), log)
	other, failedToo := checkpoint(file("other"), log)
	var err error
	if failed != nil || failedToo != nil || one.N >= other.N {
		err = fmt.Errorf("%v %v", failed, failedToo)
	}
	claim(err, "fork: both sides are signed by the log itself, at %d and %d", one.N, other.N)
	claim(want(cosigned(file("one"), witnesses), 2), "fork: one side has two of three witnesses")
	claim(want(cosigned(file("other"), witnesses), 1), "fork: the other has one, too few for 2 of 3")
}

// whole reads a C2SP tlog-proof.
func whole(log note.Verifier, witnesses []note.Verifier) {
	text := string(file("whole.tlog-proof"))
	cut := strings.Index(text, "\n\n")
	lines := strings.Split(text[:cut], "\n")
	index := number(strings.TrimPrefix(lines[1], "index "))
	tree, err := checkpoint([]byte(text[cut+2:]), log)
	if err == nil {
		err = tlog.CheckRecord(hashesOf(lines[2:]), tree.N, tree.Hash, index, tlog.RecordHash([]byte(fmt.Sprintf("entry %d", index))))
	}
	if err == nil && lines[0] != "c2sp.org/tlog-proof@v1" {
		err = fmt.Errorf("begins with %s", lines[0])
	}
	if err == nil {
		err = want(cosigned([]byte(text[cut+2:]), witnesses), 3)
	}
	claim(err, "tlog-proof: entry %d is in the log, by three witnesses", index)
}

func main() {
	folder = os.Args[1]
	log, err := note.NewVerifier(words("log.vkey")[0][0])
	if err != nil {
		panic(err)
	}
	witnesses := readWitnesses()
	if len(os.Args) == 3 {
		fmt.Println(cosigned(file(os.Args[2]), witnesses))
		return
	}
	roots, entries := everySize(log)
	fromTiles(roots, entries)
	ourProofs(roots, entries)
	flips(roots, entries, log)
	whole(log, witnesses)
	fork(log, witnesses)
}
