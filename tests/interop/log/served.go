// served - Go's x/mod/sumdb (tlog, note) judges what a firebreakd has served of its log, and says of each thing whether it holds.
//
// usage: served FOLDER     with log.vkey, witness.vkeys, the files log/checkpoint and log/tile/..., older checkpoints seen/N, and for each
//
//	proof proofs/NAME the entry that it is of, entries/NAME
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func names(name string) []string {
	found, _ := filepath.Glob(filepath.Join(folder, name, "*"))
	var all []string
	for _, path := range found {
		all = append(all, filepath.Base(path))
	}
	return all
}

type tiles struct{}

func (tiles) Height() int { return height }

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(folder, "log/tile"+strings.TrimPrefix(tile.Path(), "tile/8")))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func cosigned(message []byte) int {
	var all []note.Verifier
	for _, line := range strings.Fields(string(file("witness.vkeys"))) {
		part := strings.SplitN(line, "+", 3)
		key, err := base64.StdEncoding.DecodeString(part[2])
		if err != nil || len(key) != 33 || key[0] != 4 {
			panic("not the key of a witness")
		}
		all = append(all, witness{part[0], key[1:]})
	}
	opened, err := note.Open(message, note.VerifierList(all...))
	if err != nil {
		return 0
	}
	return len(opened.Sigs)
}

// bundles compares each entry with what the tiles, which sumdb authenticates, say of it.
func bundles(tree tlog.Tree, hashes tlog.HashReader) error {
	for n := int64(0); n < tree.N; n += 256 {
		tile := tlog.Tile{H: height, L: 0, N: n / 256, W: 256}
		if tree.N-n < 256 {
			tile.W = int(tree.N - n)
		}
		data := file("log/tile/entries" + strings.TrimPrefix(tile.Path(), "tile/8/0"))
		for i := 0; i < tile.W; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("bundle %d is cut", n/256)
			}
			length := int(binary.BigEndian.Uint16(data))
			stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n+int64(i))})
			if err != nil || stored[0] != tlog.RecordHash(data[2:2+length]) {
				return fmt.Errorf("entry %d: %v", n+int64(i), err)
			}
			data = data[2+length:]
		}
		if len(data) != 0 {
			return fmt.Errorf("bundle %d is too long", n/256)
		}
	}
	return nil
}

func proof(name string, log note.Verifier) error {
	text := string(file("proofs/" + name))
	cut := strings.Index(text, "\n\n")
	if cut < 0 {
		return fmt.Errorf("it has no checkpoint")
	}
	lines := strings.Split(text[:cut], "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("begins with %s", lines[0])
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	path := []tlog.Hash{}
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	tree, err := checkpoint([]byte(text[cut+2:]), log)
	if err != nil {
		return err
	}
	if got := cosigned([]byte(text[cut+2:])); got < 2 {
		return fmt.Errorf("%d cosignatures", got)
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(file("entries/"+name)))
}

func main() {
	folder = os.Args[1]
	log, err := note.NewVerifier(strings.TrimSpace(string(file("log.vkey"))))
	if err != nil {
		panic(err)
	}
	newest, err := checkpoint(file("log/checkpoint"), log)
	claim(err, "note: the newest checkpoint is signed by %s", log.Name())
	hashes := tlog.TileHashReader(newest, tiles{})
	claim(bundles(newest, hashes), "tlog: every entry in the bundles is the one in the tiles, and under the root")
	err = nil
	seen := names("seen")
	for _, name := range seen {
		older, failed := checkpoint(file("seen/"+name), log)
		if failed == nil && older.N < newest.N {
			var growth tlog.TreeProof
			if growth, failed = tlog.ProveTree(newest.N, older.N, hashes); failed == nil {
				failed = tlog.CheckTree(growth, newest.N, newest.Hash, older.N, older.Hash)
			}
		} else if failed == nil && (older.N > newest.N || older.Hash != newest.Hash) {
			failed = fmt.Errorf("%d entries and another root than the newest, or more", older.N)
		}
		if failed != nil {
			err = fmt.Errorf("%s: %v", name, failed)
		}
	}
	claim(err, "tlog: the newest grew out of each older checkpoint that was seen")
	for _, name := range names("proofs") {
		claim(proof(name, log), "tlog-proof: %s is in the log, by two witnesses at least", name)
	}
	fmt.Printf("holds the sizes seen: %d\n", len(seen))
}
