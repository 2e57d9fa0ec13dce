// What reader.go and served.go have in common: the folder that they judge, what they say, and how a checkpoint and a cosignature are read.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

var folder string

// claim says whether something holds, and goes on.
func claim(err error, format string, words ...interface{}) {
	if err == nil {
		fmt.Printf("holds "+format+"\n", words...)
	} else {
		fmt.Printf("fails "+format+": %v\n", append(words, err)...)
	}
}

func file(name string) []byte {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		fmt.Println("fails", err)
		os.Exit(1)
	}
	return data
}

// checkpoint opens a note of the log and reads its three lines.
func checkpoint(message []byte, log note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open(message, note.VerifierList(log))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != log.Name() || lines[3] != "" {
		return tree, fmt.Errorf("not three lines, of which the first is %s", log.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// witness is a note.Verifier of C2SP tlog-cosignature, which sumdb does not know.
type witness struct {
	name string
	key  ed25519.PublicKey
}

func (w witness) Name() string { return w.name }

func (w witness) KeyHash() uint32 {
	digest := sha256.Sum256(append([]byte(w.name+"\n\x04"), w.key...))
	return binary.BigEndian.Uint32(digest[:])
}

func (w witness) Verify(text, blob []byte) bool {
	if len(blob) != 8+ed25519.SignatureSize {
		return false
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(blob), text)
	return ed25519.Verify(w.key, []byte(message), blob[8:])
}
