// google/nftables as a driver of the benchmarks: see bench/drivers/helper.ts for what it reads and answers.
//
// It takes tables, sets and elements. Sets have no size here: the library cannot declare one. A batch has to fit
// the socket's send buffer, which it cannot enlarge either, so long lists are flushed in several.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/google/nftables"
)

// Elements of one message and batch.
const chunk = 1000

type object struct {
	Family string          `json:"family"`
	Table  string          `json:"table"`
	Name   string          `json:"name"`
	Type   json.RawMessage `json:"type"`
	Elem   []element       `json:"elem"`
}

type element struct{ parts []string }

func (e *element) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		e.parts = make([]string, 1)
		return json.Unmarshal(data, &e.parts[0])
	}
	var concat struct{ Concat []string }
	err := json.Unmarshal(data, &concat)
	e.parts = concat.Concat
	return err
}

type command map[string]map[string]*object

type work struct{ Setup, Commands []command }

type session struct {
	conn   *nftables.Conn
	tables map[string]*nftables.Table
	sets   map[string]*nftables.Set
	types  map[string][]string
}

func typesOf(raw json.RawMessage) ([]string, error) {
	if raw[0] == '"' {
		one := make([]string, 1)
		return one, json.Unmarshal(raw, &one[0])
	}
	var many []string
	return many, json.Unmarshal(raw, &many)
}

var datatypes = map[string]nftables.SetDatatype{
	"ipv4_addr":  nftables.TypeIPAddr,
	"ipv6_addr":  nftables.TypeIP6Addr,
	"ether_addr": nftables.TypeEtherAddr,
	"ifname":     nftables.TypeIFName,
}

// A value in its bytes, padded to four as parts of a concatenation are.
func appendValue(key []byte, kind, text string) ([]byte, error) {
	switch kind {
	case "ipv4_addr":
		if ip := net.ParseIP(text).To4(); ip != nil {
			return append(key, ip...), nil
		}
	case "ipv6_addr":
		if ip := net.ParseIP(text).To16(); ip != nil {
			return append(key, ip...), nil
		}
	case "ether_addr":
		if mac, err := net.ParseMAC(text); err == nil {
			return append(append(key, mac...), 0, 0), nil
		}
	case "ifname":
		if len(text) < 16 {
			return append(append(key, text...), make([]byte, 16-len(text))...), nil
		}
	}
	return nil, fmt.Errorf("%s is no %s", text, kind)
}

func (s *session) table(family, name string) *nftables.Table {
	families := map[string]nftables.TableFamily{
		"inet": nftables.TableFamilyINet, "ip": nftables.TableFamilyIPv4, "bridge": nftables.TableFamilyBridge,
	}
	if s.tables[name] == nil {
		s.tables[name] = &nftables.Table{Family: families[family], Name: name}
	}
	return s.tables[name]
}

func (s *session) declare(o *object) (*nftables.Set, error) {
	types, err := typesOf(o.Type)
	if err != nil {
		return nil, err
	}
	kinds := make([]nftables.SetDatatype, len(types))
	for i, name := range types {
		kinds[i] = datatypes[name]
	}
	set := &nftables.Set{Table: s.table(o.Family, o.Table), Name: o.Name, KeyType: kinds[0]}
	if len(kinds) > 1 {
		set.KeyType, set.Concatenation = nftables.MustConcatSetType(kinds...), true
	}
	s.sets[o.Name], s.types[o.Name] = set, types
	return set, nil
}

func (s *session) elements(o *object, apply func(*nftables.Set, []nftables.SetElement) error) error {
	set, types := s.sets[o.Name], s.types[o.Name]
	if set == nil {
		return fmt.Errorf("no set %s", o.Name)
	}
	for first := 0; first < len(o.Elem); first += chunk {
		last := first + chunk
		if last > len(o.Elem) {
			last = len(o.Elem)
		}
		list := make([]nftables.SetElement, last-first)
		for i := range list {
			var key []byte
			var err error
			for part, text := range o.Elem[first+i].parts {
				if key, err = appendValue(key, types[part], text); err != nil {
					return err
				}
			}
			list[i].Key = key
		}
		if err := apply(set, list); err != nil {
			return err
		}
		if err := s.conn.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) run(commands []command) error {
	for _, command := range commands {
		for verb, objects := range command {
			for kind, o := range objects {
				if err := s.apply(verb, kind, o); err != nil {
					return err
				}
			}
		}
	}
	return s.conn.Flush()
}

func (s *session) apply(verb, kind string, o *object) error {
	switch verb + " " + kind {
	case "add table":
		s.conn.AddTable(s.table(o.Family, o.Name))
		return nil
	case "delete table":
		s.conn.DelTable(s.table(o.Family, o.Name))
		return nil
	case "add set":
		set, err := s.declare(o)
		if err != nil {
			return err
		}
		if err := s.conn.AddSet(set, nil); err != nil {
			return err
		}
		return s.elements(o, s.conn.SetAddElements)
	case "add element":
		return s.elements(o, s.conn.SetAddElements)
	case "delete element":
		return s.elements(o, s.conn.SetDeleteElements)
	}
	return fmt.Errorf("not measured here: %s %s", verb, kind)
}

func (s *session) list() (int, error) {
	found := 0
	tables, err := s.conn.ListTables()
	if err != nil {
		return 0, err
	}
	for _, table := range tables {
		sets, err := s.conn.GetSets(table)
		if err != nil {
			return 0, err
		}
		for _, set := range sets {
			elements, err := s.conn.GetSetElements(set)
			if err != nil {
				return 0, err
			}
			found += len(elements)
		}
	}
	return found, nil
}

func main() {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	s := &session{conn, map[string]*nftables.Table{}, map[string]*nftables.Set{}, map[string][]string{}}
	var prepared []work
	answer := func(text interface{}, err error) {
		if err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println(text)
		}
	}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		word, rest := line[:len(line)-1], ""
		if space := strings.IndexByte(word, ' '); space >= 0 {
			word, rest = word[:space], word[space+1:]
		}
		switch word {
		case "prepare":
			var w work
			err := json.Unmarshal([]byte(rest), &w)
			for _, command := range w.Setup {
				if o := command["add"]["set"]; o != nil && err == nil {
					_, err = s.declare(o)
				}
			}
			prepared = append(prepared, w)
			answer("ready", err)
		case "go":
			var number int
			fmt.Sscan(rest, &number)
			start := time.Now()
			err := s.run(prepared[number].Commands)
			answer(time.Since(start).Nanoseconds(), err)
		case "list":
			found, err := s.list()
			answer(found, err)
		}
	}
}
