package chart_test

import (
	"os"
	"regexp"
	"testing"
)

// images/build tags the images with the version of the workspace, and the chart asks for its appVersion.
func TestTheChartAsksForTheImagesOfThisVersion(t *testing.T) {
	built := found(t, "../../Cargo.toml", `(?s)\[workspace\.package\].*?\nversion = "([^"]+)"`)
	asked := found(t, "../chatapp/Chart.yaml", `(?m)^appVersion: "?([^"\s]+)"?$`)
	if built != asked {
		t.Errorf("the images are built as %s, and the chart asks for %s", built, asked)
	}
}

// found gives what the one group of a pattern matches in a file.
func found(t *testing.T, path, pattern string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(pattern).FindSubmatch(text)
	if match == nil {
		t.Fatalf("%s has no %s", path, pattern)
	}
	return string(match[1])
}
